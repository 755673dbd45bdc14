import { createHash } from 'node:crypto'
import type { AnyStateMachine, AnyStateNode } from 'xstate'
import type { ChartEdge, ChartNode } from '../protocol/chart.ts'
import { effectNames, eventLabel, type TransitionInfo, transitionsOf } from '../statechart/index.ts'

/** A state as it is drawn, before it has a place. */
export type DrawnState = Omit<ChartNode, 'x' | 'y' | 'width' | 'height'>
/** A transition as it is drawn, before it has a way. */
export type DrawnEdge = Omit<ChartEdge, 'points' | 'label'> & { readonly lines: readonly string[] }

/** What of a machine is drawn: states with their parents before them, and transitions that do something. */
export interface Description {
  readonly states: readonly DrawnState[]
  readonly edges: readonly DrawnEdge[]
}

/** Equal for machines that are drawn alike. */
export function hashOf(description: Description): string {
  return createHash('sha256').update(JSON.stringify(description)).digest('base64url').slice(0, 22)
}

export function describeMachine(machine: AnyStateMachine): Description {
  const transitions = transitionsOf(machine)
  const states: DrawnState[] = []
  const edges: DrawnEdge[] = []
  const visit = (node: AnyStateNode, parent: string | undefined) => {
    const inner = transitions.filter(({ source, targets }) => source === node.id && targets.length === 0)
    states.push(describeState(node, parent, inner))
    if (node.type === 'compound') {
      const id = `${node.id}:initial`
      states.push({ id, key: '', parent: node.id, kind: 'initial', tags: [], entry: [], exit: [], inner: [] })
      for (const target of node.initial.target) {
        edges.push({
          id,
          source: id,
          target: target.id,
          event: '',
          actions: effectNames(node.initial.actions),
          lines: [],
        })
      }
    }
    for (const child of Object.values(node.states)) visit(child as AnyStateNode, node.id)
  }
  visit(machine.root, undefined)
  for (const transition of transitions) {
    for (const target of transition.targets) edges.push(describeEdge(transition, target))
  }
  return { states, edges }
}

function describeState(
  node: AnyStateNode,
  parent: string | undefined,
  inner: readonly TransitionInfo[],
): DrawnState {
  return {
    id: node.id,
    key: node.key,
    ...(parent === undefined ? {} : { parent }),
    kind: node.type,
    ...(node.description === undefined ? {} : { description: node.description }),
    tags: [...node.tags],
    entry: effectNames(node.entry),
    exit: effectNames(node.exit),
    inner: inner
      .filter(({ actions }) => effectsOf(actions).length > 0)
      .map((transition) => ({ id: transition.id, text: labelLines(transition).join(' ') })),
  }
}

function describeEdge(transition: TransitionInfo, target: string): DrawnEdge {
  const { id, source, event, guard, actions } = transition
  return {
    id,
    source,
    target,
    event: eventLabel(event),
    ...(guard === undefined ? {} : { guard }),
    actions: effectsOf(actions),
    lines: labelLines(transition),
  }
}

function labelLines({ event, guard, actions }: TransitionInfo): string[] {
  const effects = effectsOf(actions)
  return [
    `${eventLabel(event)}${guard === undefined ? '' : ` [${guard}]`}`,
    ...(effects.length > 0 ? [`/ ${effects.join(', ')}`] : []),
  ]
}

/** A change of the context is no effect. */
const effectsOf = (actions: readonly string[]): string[] => actions.filter((name) => name !== 'assign')
