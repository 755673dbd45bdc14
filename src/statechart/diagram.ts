import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate'
import { publicGuardName } from './guards.ts'
import { eachNode } from './tree.ts'
import { isBuiltinAction } from './xstate-internals.ts'

/** A transition as it is written in a machine. */
export interface TransitionInfo {
  /** Source, event and place among the source's candidates: `job.queued:job.cancel:0`. Stable while the chart is. */
  readonly id: string
  readonly source: string
  /** As written, wildcards included; XState's own types for done states, delays and the like. `''` for eventless ones. */
  readonly event: string
  readonly index: number
  /** Ids of the targets; none for a transition that leaves no state. */
  readonly targets: readonly string[]
  readonly reenter: boolean
  /** The guard's name; `'(inline)'` for a function; absent when there is none. */
  readonly guard?: string
  readonly actions: readonly string[]
  readonly description?: string
}

/** Lists the transitions of a machine, in document order. */
export function transitionsOf(machine: AnyStateMachine): readonly TransitionInfo[] {
  return [...eachNode(machine.root)].flatMap((node) => definitionsOf(node).map(describe))
}

/**
 * The id of a transition in {@link transitionsOf}.
 *
 * @param definition - As in `_transitions` of the inspection event `@xstate.microstep`.
 */
export function transitionId(definition: AnyTransitionDefinition): string {
  const { source, eventType } = definition
  const siblings = eventType === '' ? source.always : source.transitions.get(eventType)
  return `${source.id}:${eventType}:${siblings?.indexOf(definition) ?? -1}`
}

export interface MermaidOptions {
  /** Ids of transitions that were taken: with it, the label of every other one starts with `✗`. */
  readonly taken?: { has(id: string): boolean }
}

/**
 * Draws a machine as a Mermaid `stateDiagram-v2`.
 *
 * Labels read `event [guard] / effects`; changes of the context are no effects. Transitions that do nothing on purpose are left out. Regions of a parallel state
 * are drawn as states inside it, without Mermaid's `--`, which cannot take arrows out of a region.
 */
export function toMermaid(machine: AnyStateMachine, options: MermaidOptions = {}): string {
  const { root } = machine
  const nodes = [...eachNode(root)]
  const arrows = nodes.flatMap((node) => definitionsOf(node).flatMap((each) => drawTransition(each, options)))
  const isFramed =
    root.type !== 'compound' || effectsOf(root).length > 0 || arrows.some((arrow) => arrow.touches(root))
  const states = isFramed ? drawState(root, '  ') : drawInside(root, '  ')
  return `${['stateDiagram-v2', ...states, ...arrows.map(({ line }) => line)].join('\n')}\n`
}

const definitionsOf = (node: AnyStateNode): readonly AnyTransitionDefinition[] => [
  ...[...node.transitions.values()].flat(),
  ...(node.always ?? []),
]

function describe(definition: AnyTransitionDefinition): TransitionInfo {
  const { source, eventType, target = [], reenter, guard, actions, description } = definition
  const id = transitionId(definition)
  return {
    id,
    source: source.id,
    event: eventType,
    index: Number(id.slice(id.lastIndexOf(':') + 1)),
    targets: target.map((node) => node.id),
    reenter,
    ...(guard && { guard: publicGuardName(guard) ?? '(inline)' }),
    actions: actions.map(nameOf),
    ...(description !== undefined && { description }),
  }
}

function drawState(node: AnyStateNode, indent: string): string[] {
  const id = mermaidId(node)
  const kind = node.type === 'parallel' || node.type === 'history' ? ` (${node.type})` : ''
  const title = `${node.key}${kind}`
  const effects = effectsOf(node)
  if (Object.keys(node.states).length > 0) {
    const frame = `${indent}state "${entities([title, ...effects].join(' | '))}" as ${id} {`
    return [frame, ...drawInside(node, `${indent}  `), `${indent}}`]
  }
  const ending = node.type === 'final' ? [`${indent}${id} --> [*]`] : []
  const lines = effects.map((effect) => `${indent}${id} : ${entities(effect)}`)
  return [`${indent}state "${entities(title)}" as ${id}`, ...lines, ...ending]
}

const effectsOf = ({ entry, exit }: AnyStateNode): string[] => [
  ...effectNames(entry).map((name) => `entry / ${name}`),
  ...effectNames(exit).map((name) => `exit / ${name}`),
]

/** The names of actions; changes of the context are no effects, and left out. */
export const effectNames = (actions: readonly unknown[]): string[] =>
  actions.map(nameOf).filter((name) => name !== 'assign')

function drawInside(node: AnyStateNode, indent: string): string[] {
  const children = Object.values(node.states).flatMap((child) => drawState(child as AnyStateNode, indent))
  if (node.type !== 'compound') return children
  const { target, actions } = node.initial
  const shown = effectNames(actions)
  const effects = shown.length > 0 ? ` : / ${entities(shown.join(', '))}` : ''
  return [...target.map((initial) => `${indent}[*] --> ${mermaidId(initial)}${effects}`), ...children]
}

interface Arrow {
  readonly line: string
  touches(node: AnyStateNode): boolean
}

function drawTransition(definition: AnyTransitionDefinition, { taken }: MermaidOptions): Arrow[] {
  const { source, target = [source] } = definition
  const { id, event, targets, guard, actions } = describe(definition)
  if (targets.length === 0 && actions.length === 0) return []
  const missed = taken === undefined || taken.has(id) ? '' : '✗ '
  const condition = guard === undefined ? '' : ` [${guard}]`
  const shown = effectNames(definition.actions)
  const effects = shown.length === 0 ? '' : ` / ${shown.join(', ')}`
  const label = entities(`${missed}${eventLabel(event)}${condition}${effects}`)
  return target.map((end) => ({
    line: `  ${mermaidId(source)} --> ${mermaidId(end)} : ${label}`,
    touches: (node) => node === source || node === end,
  }))
}

/** What a person reads for an event type: XState's own types for done states, delays and actors are shortened. */
export function eventLabel(event: string): string {
  const [, kind, rest = ''] = /^xstate\.(done\.state|done\.actor|error\.actor|after)\.(.*)$/.exec(event) ?? []
  if (event === '') return 'always'
  if (kind === 'done.state') return 'done'
  if (kind === 'after') return `after ${rest.split('.')[0]}`
  return kind === undefined ? event : `${kind.split('.')[0]} ${rest}`
}

/** The name of an action: XState's own without their prefix, `(inline)` for other functions without one. */
function nameOf(action: unknown): string {
  if (isBuiltinAction(action)) return action.type.replace(/^xstate\./, '')
  if (typeof action === 'function') return action.name || '(inline)'
  return typeof action === 'string' ? action : (action as { type: string }).type
}

/** Mermaid's ids are words; the order keeps different states apart whose ids look the same as words. */
const mermaidId = (node: AnyStateNode): string => `s${node.order}_${node.id.replace(/\W+/g, '_')}`

/** Characters that end a label in Mermaid, as entities. */
const entities = (text: string): string => text.replace(/[&#;:"{}<>]/g, (char) => `#${char.charCodeAt(0)};`)
