import type {
  AnyEventObject,
  AnyStateMachine,
  AnyStateNode,
  AnyTransitionDefinition,
  StateValue,
} from 'xstate'
import { compileGuard, publicGuardName, type Test } from './guards.ts'

/** A transition that an event enables, unless its guard says no; keeps what its reader found out about it. */
export interface Candidate<TPlan> {
  readonly transition: AnyTransitionDefinition
  readonly guard: Test | undefined
  plan: TPlan | undefined
}

/** Who may answer an event: the regions each for themselves, and the candidates when no region does. */
export interface Reactions<TPlan> {
  /** Whether the event may mean something to the machine beyond its transitions. */
  readonly isSpecial: boolean
  readonly regions: readonly Reactions<TPlan>[] | undefined
  readonly candidates: readonly Candidate<TPlan>[]
}

/** Lists who may answer events of a type in the given states: inner states before outer ones. */
export function reactionsTo<TPlan>(
  type: string,
  active: {
    readonly table: { readonly machine: AnyStateMachine }
    readonly nodes: readonly AnyStateNode[]
    readonly value: StateValue
  },
): Reactions<TPlan> {
  const { machine } = active.table
  const special = isSpecial(type)
  const own = (node: AnyStateNode): Candidate<TPlan>[] =>
    transitionsFor(node, type).map((transition) => ({
      transition,
      guard: compileGuard(transition.guard, machine, active),
      plan: undefined,
    }))
  const visit = (node: AnyStateNode, value: StateValue): Reactions<TPlan> => {
    const below =
      typeof value === 'string'
        ? [{ isSpecial: special, regions: undefined, candidates: own(node.states[value] as AnyStateNode) }]
        : Object.entries(value).map(([key, inner]) =>
            visit(node.states[key] as AnyStateNode, inner as StateValue),
          )
    const answering = below.filter(
      ({ regions, candidates }) => regions !== undefined || candidates.length > 0,
    )
    if (answering.length > 1) return { isSpecial: special, regions: answering, candidates: own(node) }
    const [only] = answering
    return {
      isSpecial: special,
      regions: only?.regions,
      candidates: [...(only?.candidates ?? []), ...own(node)],
    }
  }
  return visit(machine.root, active.value)
}

/**
 * Finds the first candidate whose guard agrees.
 *
 * @throws {Error} XState's, when a guard throws.
 */
export function firstEnabled<TPlan>(
  candidates: readonly Candidate<TPlan>[],
  context: unknown,
  event: AnyEventObject,
): Candidate<TPlan> | undefined {
  for (let index = 0; index < candidates.length; index++) {
    const candidate = candidates[index] as Candidate<TPlan>
    const { guard } = candidate
    if (guard === undefined || passes(guard, candidate.transition, context, event)) return candidate
  }
  return undefined
}

/** Finds the transitions which the regions answer with, each for itself; XState removes those in conflict later. */
export function allEnabled(
  reactions: Reactions<unknown>,
  context: unknown,
  event: AnyEventObject,
): AnyTransitionDefinition[] {
  const inner = (reactions.regions ?? []).flatMap((region) => allEnabled(region, context, event))
  if (inner.length > 0) return inner
  const candidate = firstEnabled(reactions.candidates, context, event)
  return candidate === undefined ? [] : [candidate.transition]
}

/** A node's transitions for an event type: the exact ones, then wildcards from the longest to the shortest. */
function transitionsFor(node: AnyStateNode, type: string): AnyTransitionDefinition[] {
  const wildcards = [...node.transitions.keys()]
    .filter((descriptor) => descriptor !== type && matchesDescriptor(type, descriptor))
    .sort((a, b) => b.length - a.length)
  return [type, ...wildcards].flatMap((descriptor) => node.transitions.get(descriptor) ?? [])
}

/** Whether XState gives events of this type a meaning of their own: they stop or fail a machine, or name no event. */
export function isSpecial(type: string): boolean {
  return (
    type === '*' || type === 'xstate.stop' || type === 'xstate.init' || type.startsWith('xstate.error.actor')
  )
}

/** A wildcard stands alone, or as the last part of a dotted type, where it also matches the type without that part. */
export function matchesDescriptor(type: string, descriptor: string): boolean {
  if (descriptor === type || descriptor === '*') return true
  if (!descriptor.endsWith('.*')) return false
  const parts = type.split('.')
  const pattern = descriptor.split('.')
  const star = pattern.indexOf('*')
  return star === pattern.length - 1 && pattern.slice(0, star).every((part, index) => part === parts[index])
}

function passes(
  guard: Test,
  transition: AnyTransitionDefinition,
  context: unknown,
  event: AnyEventObject,
): unknown {
  try {
    return guard(context, event)
  } catch (error) {
    const name = publicGuardName(transition.guard)
    throw new Error(
      `Unable to evaluate guard ${name ? `'${name}' ` : ''}in transition for event '${event.type}' ` +
        `in state node '${transition.source.id}':\n${(error as Error).message}`,
    )
  }
}
