import { type ChartEdge, type ChartLayout, type ChartNode, stateLines } from './chart.ts'

/** What of a chart is picked out. Everything is optional: without marks the chart is drawn as it is. */
export interface ChartMarks {
  /** Ids of states that are active now. */
  readonly active?: { has(id: string): boolean }
  /** Ids of transitions that could be taken now: drawn bold. */
  readonly enabled?: { has(id: string): boolean }
  /** How often each transition was taken; one that is missing here, or 0, is drawn as never taken. */
  readonly taken?: { get(id: string): number | undefined }
  /** How many actors are in each state, by its id. */
  readonly counts?: { get(id: string): number | undefined }
  /** Stands before all else in the picture, for those who cannot see it. */
  readonly title?: string
}

/**
 * Draws a laid out chart as SVG: the same everywhere, without a DOM, a font or a clock.
 *
 * Colours follow the reader's scheme, light or dark; each mark shows in a form too, not in a colour alone.
 */
export function chartSvg(layout: ChartLayout, marks: ChartMarks = {}): string {
  const { width, height, nodes, edges } = layout
  const title = marks.title ?? nodes[0]?.id ?? 'statechart'
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeXml(title)}">`,
    `<title>${escapeXml(title)}</title>`,
    `<style>${STYLE}</style>`,
    '<defs>',
    arrowHead('a', 'var(--l)'),
    arrowHead('e', 'var(--s)'),
    arrowHead('n', 'var(--w)'),
    '</defs>',
    ...nodes.filter(({ kind }) => kind !== 'initial').map((node) => drawState(node, marks)),
    ...inDrawingOrder(edges, marks).map((edge) => drawEdge(edge, marks)),
    ...nodes.filter(({ kind }) => kind === 'initial').map(drawInitial),
    ...edges.map((edge) => drawLabel(edge, marks)),
    '</svg>',
    '',
  ].join('\n')
}

/** Okabe and Ito's blue and vermilion, which colour-blind readers tell apart. */
const STYLE = [
  'svg{--b:#fff;--p:#f6f8fa;--t:#1f2328;--m:#59636e;--l:#818b98;--s:#0072b2;--a:#dceefb;--w:#b34700;',
  'font:10px ui-sans-serif,system-ui,sans-serif;background:var(--b)}',
  '@media(prefers-color-scheme:dark){svg{--b:#0d1117;--p:#151b23;--t:#f0f6fc;--m:#9198a1;--l:#6e7681;--s:#56b4e9;--a:#12304a;--w:#ff9b66}}',
  '.s{fill:var(--p);stroke:var(--l)}.c{fill:none;stroke:var(--l)}.r{stroke-dasharray:5 3}',
  '.on{stroke:var(--s);stroke-width:2.5}.s.on{fill:var(--a)}',
  '.k{fill:var(--t);font-size:12px;font-weight:600}.x{fill:var(--m)}.n{fill:var(--t);text-anchor:end;font-weight:600}',
  '.e{fill:none;stroke:var(--l)}.eb{stroke:var(--s);stroke-width:2.2}.en{stroke:var(--w);stroke-dasharray:3 3}',
  '.g{fill:var(--b);opacity:.9}.v{fill:var(--t)}.vb{fill:var(--s);font-weight:700}.vn{fill:var(--w)}',
].join('')

const arrowHead = (id: string, colour: string): string =>
  `<marker id="${id}" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 .8 8 4 0 7.2z" fill="${colour}"/></marker>`

function drawState(node: ChartNode, { active, counts, taken }: ChartMarks): string {
  const { id, key, kind, x, y, width, height, description } = node
  const isActive = active?.has(id) === true
  const hasChildren = kind === 'compound' || kind === 'parallel'
  const classes = [
    hasChildren ? 'c' : 's',
    ...(kind === 'parallel' ? ['r'] : []),
    ...(isActive ? ['on'] : []),
  ]
  const count = counts?.get(id)
  const lines = stateLines(node).map(({ id: transition, text }) =>
    transition !== undefined && taken !== undefined && !taken.get(transition) ? `✗ ${text}` : text,
  )
  // Half a pixel in, so that a line is drawn sharp and whole at the picture's edge.
  const box = (inset: number) =>
    `x="${x + inset + 0.5}" y="${y + inset + 0.5}" width="${width - 2 * inset - 1}" height="${height - 2 * inset - 1}" rx="${6 - inset}"`
  const rule = y + 24
  return [
    `<g data-state="${escapeXml(id)}">${description === undefined ? '' : `<title>${escapeXml(description)}</title>`}`,
    `<rect class="${classes.join(' ')}" ${box(0)}/>`,
    ...(kind === 'final' ? [`<rect class="c" ${box(2.5)}/>`] : []),
    `<text class="k" x="${x + 10}" y="${y + 16}">${isActive ? '● ' : ''}${escapeXml(kind === 'history' ? `H ${key}` : key)}</text>`,
    ...(count === undefined
      ? []
      : [`<text class="n" x="${x + width - 8}" y="${y + 16}">${count.toLocaleString('en')}</text>`]),
    ...lines.map(
      (line, index) => `<text class="x" x="${x + 10}" y="${rule + 8 + 13 * index}">${escapeXml(line)}</text>`,
    ),
    '</g>',
  ].join('')
}

const drawInitial = ({ x, y, width }: ChartNode): string =>
  `<circle cx="${x + width / 2}" cy="${y + width / 2}" r="${width / 2 - 0.5}" fill="var(--t)"/>`

type Emphasis = '' | 'b' | 'n'

/** `b`: could be taken now; `n`: was never taken. */
function emphasisOf({ id, event }: ChartEdge, { enabled, taken }: ChartMarks): Emphasis {
  if (enabled?.has(id) === true) return 'b'
  return taken !== undefined && event !== '' && (taken.get(id) ?? 0) === 0 ? 'n' : ''
}

/** What is picked out lies above what goes the same way and is not. */
function inDrawingOrder(edges: readonly ChartEdge[], marks: ChartMarks): ChartEdge[] {
  const rankOf = (edge: ChartEdge) => EMPHASES.indexOf(emphasisOf(edge, marks))
  return edges.toSorted((a, b) => rankOf(a) - rankOf(b))
}

const EMPHASES: readonly Emphasis[] = ['', 'n', 'b']
const HEADS: Readonly<Record<Emphasis, string>> = { '': 'a', b: 'e', n: 'n' }

function drawEdge(edge: ChartEdge, marks: ChartMarks): string {
  if (edge.points.length < 2) return ''
  const emphasis = emphasisOf(edge, marks)
  const way = edge.points.map(({ x, y }, index) => `${index === 0 ? 'M' : 'L'}${x} ${y}`).join('')
  const classes = emphasis === '' ? 'e' : `e e${emphasis}`
  return `<path class="${classes}" d="${way}" marker-end="url(#${HEADS[emphasis]})" data-transition="${escapeXml(edge.id)}"/>`
}

function drawLabel(edge: ChartEdge, marks: ChartMarks): string {
  const { label, id } = edge
  if (label === undefined) return ''
  const emphasis = emphasisOf(edge, marks)
  const count = marks.taken?.get(id) ?? 0
  const sign = emphasis === 'n' ? '✗ ' : count > 0 ? `${count.toLocaleString('en')}× ` : ''
  const { x, y, width, height, lines } = label
  return [
    `<rect class="g" x="${x}" y="${y}" width="${width}" height="${height}"/>`,
    ...lines.map((line, index) => {
      const kind = index === 0 ? `v${emphasis}` : 'x'
      const text = index === 0 ? sign + line : line
      return `<text class="${kind}" x="${x + 3}" y="${y + 10 + 13 * index}">${escapeXml(text)}</text>`
    }),
  ].join('')
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Also replaces what XML does not allow in a text at all. */
function escapeXml(text: string): string {
  return text.replace(/[\p{Cc}\p{Cn}]/gu, '\ufffd').replace(/[&<>"']/g, (char) => ESCAPES[char] as string)
}
