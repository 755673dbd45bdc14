// Writes the charts' pages: `npm run pages`. With `--check` it writes nothing, and fails when one is out of date.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { parseSync } from 'oxc-parser'
import type { AnyStateMachine, AnyStateNode } from 'xstate'
import { jobMachine, orchestratorMachine, poolMachine } from '../machines/index.ts'
import { layOutChart } from '../src/diagram/layout.ts'
import { chartSvg } from '../src/protocol/chart-svg.ts'
import { type TransitionInfo, toMermaid, transitionsOf } from '../src/statechart/index.ts'
import { root } from './tool.ts'

/** The charts that have a page, by the name of their file. */
export const charts: Readonly<Record<string, AnyStateMachine>> = {
  job: jobMachine,
  pool: poolMachine,
  orchestrator: orchestratorMachine,
}

export interface Page {
  /** Relative to the package. */
  readonly file: string
  readonly text: string
}

/** The layout of each chart, and its picture, as their files should be. */
export async function renderCharts(): Promise<Page[]> {
  const pages = Object.entries(charts).map(async ([name, machine]) => {
    const chart = await layOutChart(machine)
    return [
      { file: `machines/${name}.chart.json`, text: `${JSON.stringify(chart)}\n` },
      { file: `machines/${name}.svg`, text: chartSvg(chart.right, { title: `The ${name} chart` }) },
    ]
  })
  return (await Promise.all(pages)).flat()
}

/** The page of each chart, as its file should be. */
export function renderPages(): Page[] {
  return Object.entries(charts).map(([name, machine]) => {
    const source = `machines/${name}.machine.ts`
    const code = readFileSync(join(root, source), 'utf8')
    return { file: `machines/${name}.md`, text: renderPage(name, machine, effectsIn(source, code)) }
  })
}

/** What differs from what the charts say. */
export async function stalePages(): Promise<Page[]> {
  return [...renderPages(), ...(await renderCharts())].filter(
    ({ file, text }) => read(join(root, file)) !== text,
  )
}

/** The states of a machine in document order, the root first. */
export function statesOf(machine: AnyStateMachine): AnyStateNode[] {
  const list = (node: AnyStateNode): AnyStateNode[] => [node, ...Object.values(node.states).flatMap(list)]
  return list(machine.root)
}

function renderPage(name: string, machine: AnyStateMachine, effects: readonly Effect[]): string {
  const states = statesOf(machine)
  const [top, ...inner] = states
  const local = (id: string) => (id === machine.id ? machine.id : id.slice(machine.id.length + 1))
  const stateRow = (node: AnyStateNode) => [
    code(local(node.id)),
    node.type === 'atomic' || node.type === 'compound' ? '' : node.type,
    node.description ?? '',
    codes([...node.tags]),
    effectNames(node.entry),
    effectNames(node.exit),
  ]
  const transitionRow = ({ source, event, guard, targets, actions }: TransitionInfo) => [
    code(local(source)),
    code(event),
    guard === undefined ? '' : code(guard),
    targets.length > 0 ? codes(targets.map(local)) : actions.length > 0 ? '(stays)' : '(ignored)',
    codes(actions.filter(isEffect)),
  ]
  return [
    `<!-- Made by \`npm run pages\` from ${name}.machine.ts. Do not edit. -->`,
    '',
    `# The ${name} chart`,
    '',
    top?.description ?? '',
    '',
    `Source: [\`${name}.machine.ts\`](${name}.machine.ts). What the words mean: [statecharts](../docs/statecharts.md).`,
    '',
    `Laid out for the inspector: [${name}.svg](${name}.svg).`,
    '',
    '```mermaid',
    toMermaid(machine).trimEnd(),
    '```',
    '',
    '## States',
    '',
    ...table(['state', 'kind', 'meaning', 'tags', 'on entry', 'on exit'], inner.map(stateRow)),
    '',
    '## Transitions',
    '',
    'Candidates of one event are tried in this order. `(stays)`: only effects, or a change of the context.',
    '`(ignored)`: listed on purpose, so that a late or repeated event changes nothing.',
    '',
    ...table(['from', 'event', 'guard', 'to', 'effects'], transitionsOf(machine).map(transitionRow)),
    '',
    '## Effects',
    '',
    'The chart only names them; the runtime carries them out after the step has been committed.',
    '',
    ...table(
      ['effect', 'params', 'meaning'],
      effects.map(({ name: effect, params, meaning }) => [code(effect), params && code(params), meaning]),
    ),
    '',
  ].join('\n')
}

/** A custom action of a chart, as its `setup` declares it. */
export interface Effect {
  readonly name: string
  /** The type of its params as written; empty when it has none. */
  readonly params: string
  readonly meaning: string
}

/**
 * Reads the custom actions of a chart from its source, with their comments.
 *
 * @throws {Error} When one has no comment of its own.
 */
export function effectsIn(file: string, source: string): Effect[] {
  const { program, comments } = parseSync(file, source)
  return actionsIn(program as unknown as Syntax).map(({ key, value, start }) => {
    const name = key.name ?? ''
    const comment = comments.findLast(({ end }) => end <= start)
    if (comment === undefined || !/^\s*$/.test(source.slice(comment.end, start))) {
      throw new Error(
        `Expected a line of documentation above the action "${name}" in ${file}, got none. Add it.`,
      )
    }
    const type = value.params?.[1]?.typeAnnotation?.typeAnnotation
    const params = type === undefined ? '' : oneLine(source.slice(type.start, type.end))
    return { name, params, meaning: oneLine(comment.value.replace(/^\s*\*/gm, '')) }
  })
}

interface Syntax {
  readonly start: number
  readonly end: number
}

interface Action extends Syntax {
  readonly key: { readonly name?: string }
  readonly value: {
    readonly params?: readonly { readonly typeAnnotation?: { readonly typeAnnotation: Syntax } }[]
  }
}

interface Call {
  readonly type?: string
  readonly callee?: { readonly name?: string }
  readonly arguments?: readonly { readonly properties?: readonly Property[] }[]
}

interface Property {
  readonly key: { readonly name?: string }
  readonly value: { readonly properties?: readonly Action[] }
}

/** The properties of `actions` in the argument of `setup`. */
function actionsIn(syntax: unknown): readonly Action[] {
  if (typeof syntax !== 'object' || syntax === null) return []
  const { type, callee, arguments: given } = syntax as Call
  if (type !== 'CallExpression' || callee?.name !== 'setup') return Object.values(syntax).flatMap(actionsIn)
  return given?.[0]?.properties?.find(({ key }) => key.name === 'actions')?.value.properties ?? []
}

/** A change of the context is no effect. */
const isEffect = (name: string): boolean => name !== 'assign'

function effectNames(actions: readonly unknown[]): string {
  const names = actions.map((action) =>
    typeof action === 'string' ? action : (action as { type: string }).type,
  )
  return codes(names.filter((name) => !name.startsWith('xstate.')))
}

const code = (text: string): string => `\`${text}\``
const codes = (texts: readonly string[]): string => texts.map(code).join(', ')
const oneLine = (text: string): string =>
  text
    .replace(/\s+/g, ' ')
    .replace(/^ ?\| /, '')
    .trim()

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  // A column that nothing fills is left out.
  const isShown = head.map((_, index) => rows.some((cells) => cells[index] !== ''))
  const line = (cells: readonly string[]) =>
    `| ${cells
      .filter((_, index) => isShown[index])
      .map((cell) => cell.replaceAll('|', '\\|'))
      .join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)]
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } })
  const stale = await stalePages()
  for (const { file, text } of stale) {
    if (!values.check) writeFileSync(join(root, file), text)
    console.log(values.check ? `${file} is out of date: run \`npm run pages\`.` : `${file} written.`)
  }
  if (stale.length === 0) console.log('All pages are up to date.')
  if (values.check && stale.length > 0) process.exitCode = 1
}
