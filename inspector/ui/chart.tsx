import { type ChartEdge, type ChartLayout, type ChartNode, stateLines } from '../../src/protocol/index.ts'
import { formatShort } from '../model/format.ts'
import { ArrowTip } from './arrow-tip.tsx'

/** What is marked on a chart. */
export interface ChartMarks {
  /** States that are active, by id. */
  readonly active?: ReadonlySet<string>
  /** How many are in each state, by id. */
  readonly counts?: ReadonlyMap<string, number>
  /** Transitions an event of which would be accepted now, by edge id. */
  readonly enabled?: ReadonlySet<string>
  /** How often each transition was taken, by edge id. */
  readonly taken?: ReadonlyMap<string, number>
  /** The transition that was taken last. */
  readonly last?: string
}

interface Props {
  readonly layout: ChartLayout
  readonly marks: ChartMarks
  readonly label: string
  /** CSS pixels for each of the layout's. */
  readonly scale: number
  /** Called for a state by its id, with a click or Enter. */
  readonly onState?: (id: string) => void
  readonly onEdge?: (id: string) => void
  /** The CSS class of a state, such as its colour. */
  readonly toneOf?: (id: string) => string
}

/** A statechart as SVG; text of any kind comes in as text nodes. */
export function ChartView({ layout, marks, label, scale, onState, onEdge, toneOf }: Props) {
  const pad = 8
  return (
    <svg
      class="chart"
      viewBox={`${-pad} ${-pad} ${layout.width + pad * 2} ${layout.height + pad * 2}`}
      role="group"
      aria-label={label}
      style={{
        width: `${(layout.width + pad * 2) * scale}px`,
        height: `${(layout.height + pad * 2) * scale}px`,
      }}
    >
      <defs>
        {['', '-on', '-taken'].map((kind) => (
          <ArrowTip key={kind} id={`arrow${kind}`} class={`arrow${kind}`} isAsWideAsLine />
        ))}
      </defs>
      {layout.nodes.map((node) => (
        <State key={node.id} node={node} marks={marks} tone={toneOf?.(node.id) ?? ''} onState={onState} />
      ))}
      {inDrawingOrder(layout.edges, marks).map((edge) => (
        <Edge key={edge.id + edge.target} edge={edge} marks={marks} onEdge={onEdge} />
      ))}
    </svg>
  )
}

/** What is marked lies above what goes the same way unmarked. */
function inDrawingOrder(edges: readonly ChartEdge[], { enabled, taken, last }: ChartMarks): ChartEdge[] {
  const rankOf = ({ id }: ChartEdge) =>
    id === last ? 3 : enabled?.has(id) ? 2 : (taken?.get(id) ?? 0) > 0 ? 1 : 0
  return edges.toSorted((a, b) => rankOf(a) - rankOf(b))
}

function State({
  node,
  marks,
  tone,
  onState,
}: {
  node: ChartNode
  marks: ChartMarks
  tone: string
  onState: ((id: string) => void) | undefined
}) {
  const { id, key, kind, x, y, width, height, description } = node
  if (kind === 'initial')
    return <circle class="initial" cx={x + width / 2} cy={y + height / 2} r={Math.min(width, height) / 2.2} />
  const count = marks.counts?.get(id)
  const isActive = marks.active?.has(id) ?? (count ?? 0) > 0
  const isGroup = kind === 'compound' || kind === 'parallel'
  const isButton = onState !== undefined && !isGroup
  return (
    <g
      class={`state-box ${kind} ${isActive ? 'active' : ''} ${tone}`}
      {...(isButton && {
        role: 'button',
        tabIndex: 0,
        onClick: () => onState(id),
        onKeyDown: (event: KeyboardEvent) => {
          if (event.key !== 'Enter') return
          event.preventDefault()
          onState(id)
        },
      })}
    >
      {description !== undefined && !isButton && <title>{description}</title>}
      <rect x={x} y={y} width={width} height={height} rx={6} />
      {kind === 'final' && (
        <rect class="inner" x={x + 3} y={y + 3} width={width - 6} height={height - 6} rx={4} />
      )}
      <text x={x + 9} y={y + 17} class="state-name">
        {kind === 'parallel' ? `‖ ${key}` : key}
      </text>
      {count !== undefined && (
        <text x={x + width - 8} y={y + 17} class="state-count">
          {formatShort(count)}
        </text>
      )}
      {stateLines(node).map(({ text }, index) => (
        <text key={text} x={x + 9} y={y + 31 + index * 13} class="state-effect">
          {text}
        </text>
      ))}
    </g>
  )
}

function Edge({
  edge,
  marks,
  onEdge,
}: {
  edge: ChartEdge
  marks: ChartMarks
  onEdge: ((id: string) => void) | undefined
}) {
  const { id, points, label, event, guard, actions } = edge
  const isEnabled = marks.enabled?.has(id) ?? false
  const taken = marks.taken?.get(id)
  const kind = isEnabled ? '-on' : taken !== undefined && taken > 0 ? '-taken' : ''
  const full = `${event}${guard === undefined ? '' : ` [${guard}]`}${actions.length > 0 ? ` / ${actions.join(', ')}` : ''}`
  const told = taken === undefined ? full : `${full}: taken ${taken} times`
  const path = points.map(({ x, y }, index) => `${index === 0 ? 'M' : 'L'}${x} ${y}`).join('')
  const isButton = onEdge !== undefined && isEnabled
  return (
    <g
      class={`edge${kind} ${marks.last === id ? 'last' : ''}`}
      {...(isButton && {
        role: 'button',
        tabIndex: 0,
        onClick: () => onEdge(id),
        onKeyDown: (pressed: KeyboardEvent) => {
          if (pressed.key === 'Enter') onEdge(id)
        },
      })}
    >
      {full !== '' && !isButton && <title>{told}</title>}
      <path d={path} class="line" marker-end={`url(#arrow${kind})`} />
      {label !== undefined && (
        <>
          <rect class="label-back" x={label.x} y={label.y} width={label.width} height={label.height} rx={3} />
          {label.lines.map((line, index) => (
            <text key={line} x={label.x + label.width / 2} y={label.y + 10 + index * 12} class="edge-label">
              {index === 0 && taken !== undefined && taken > 0 ? `${line} ×${formatShort(taken)}` : line}
            </text>
          ))}
        </>
      )}
    </g>
  )
}
