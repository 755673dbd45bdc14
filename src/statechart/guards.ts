import {
  type AnyEventObject,
  type AnyStateMachine,
  type AnyStateNode,
  matchesState,
  type StateValue,
} from 'xstate'
import { type BuiltinGuard, builtinGuardKind } from './xstate-internals.ts'

/** Answers a guard for one configuration; throws what the guard throws. */
export type Test = (context: unknown, event: AnyEventObject) => unknown

type GuardFunction = (args: { context: unknown; event: AnyEventObject }, params: unknown) => unknown

/** The active states a guard may ask about. */
export interface ActiveStates {
  readonly nodes: readonly AnyStateNode[]
  readonly value: StateValue
}

/** Guards that stand for nothing are passed, as in XState. */
export function compileGuard(
  guard: unknown,
  machine: AnyStateMachine,
  active: ActiveStates,
): Test | undefined {
  return guard ? compileTest(guard, machine, active) : undefined
}

function compileTest(guard: unknown, machine: AnyStateMachine, active: ActiveStates): Test {
  if (typeof guard === 'function') return compileFunction(guard as GuardFunction, undefined, machine, active)
  const name = guardName(guard)
  const implementation: unknown = machine.implementations.guards[name]
  if (!implementation) {
    return () => {
      throw new Error(`Guard '${name}' is not implemented.'.`)
    }
  }
  if (typeof implementation !== 'function') return compileTest(implementation, machine, active)
  const params = typeof guard === 'object' && guard !== null && 'params' in guard ? guard.params : undefined
  return compileFunction(implementation as GuardFunction, params, machine, active)
}

function compileFunction(
  test: GuardFunction,
  params: unknown,
  machine: AnyStateMachine,
  active: ActiveStates,
): Test {
  if ('check' in test) return compileBuiltin(test as unknown as BuiltinGuard, params, machine, active)
  if (typeof params === 'function') {
    return (context, event) => {
      const args = { context, event }
      return test(args, params({ context, event }))
    }
  }
  return (context, event) => test({ context, event }, params)
}

function compileBuiltin(
  guard: BuiltinGuard,
  params: unknown,
  machine: AnyStateMachine,
  active: ActiveStates,
): Test {
  const test = combine(guard, machine, active)
  if (typeof params !== 'function') return test
  return (context, event) => {
    params({ context, event })
    return test(context, event)
  }
}

function combine(guard: BuiltinGuard, machine: AnyStateMachine, active: ActiveStates): Test {
  const parts = (guard.guards ?? []).map((part) => compileTest(part, machine, active))
  switch (builtinGuardKind(guard)) {
    case 'and':
      return (context, event) => parts.every((part) => part(context, event))
    case 'or':
      return (context, event) => parts.some((part) => part(context, event))
    case 'not': {
      const [part] = parts as [Test]
      return (context, event) => !part(context, event)
    }
    default:
      return () => isIn(guard.stateValue as StateValue, machine, active)
  }
}

function isIn(value: StateValue, machine: AnyStateMachine, active: ActiveStates): boolean {
  if (typeof value !== 'string' || value[0] !== '#') return matchesState(value, active.value)
  const node = machine.getStateNodeById(value)
  return active.nodes.some((other) => other === node)
}

/** The name under which a guard that is not a function is implemented. */
export const guardName = (guard: unknown): string =>
  typeof guard === 'string' ? guard : (guard as { type: string }).type

/** The name of a guard in XState's error texts and in diagrams: none for an inline function. */
export const publicGuardName = (guard: unknown): string | undefined =>
  typeof guard === 'string'
    ? guard
    : typeof guard === 'object' && guard !== null
      ? (guard as { type: string }).type
      : undefined
