import type { AnyEventObject, AnyStateMachine } from 'xstate'
import { isEffect } from './effects.ts'
import { type ActionArgs, type AssignAction, isAssign, isBuiltinAction, isEmit } from './xstate-internals.ts'

/** The implementation of a custom action; `undefined` when it has none. */
export type CustomWork = ((info: ActionArgs, params: unknown) => void) | undefined
type Resolver = (args: { context: unknown; event: AnyEventObject }) => unknown

export const EFFECT = 0
export const CUSTOM = 1
export const REPLACE = 2
export const ASSIGN = 3
export const EMIT = 4
export const RAISE = 5
export const FINISH = 6

/**
 * One thing a plan does. All kinds share one shape, which keeps the loop over them fast.
 *
 * | kind | `type` | `work` |
 * | --- | --- | --- |
 * | `EFFECT` | name of the effect | the action that hands it to the actor |
 * | `CUSTOM` | name of the action | its implementation, or `undefined` |
 * | `REPLACE` | | the function that answers the whole context |
 * | `ASSIGN` | | the assignment: a function, or an object of values and functions |
 * | `EMIT` | | XState's emit action |
 * | `RAISE` | done event of a state | output of the final state: a value or a function |
 * | `FINISH` | done event of the last state | its output: a value or a function |
 */
export class Step {
  readonly kind: number
  readonly type: string
  readonly work: unknown
  /** Static parameters, or `undefined`. */
  readonly params: unknown
  /** Computes the parameters. */
  readonly paramsOf: Resolver | undefined
  /** Whether it reads what the step is about: the context and the event. */
  readonly needsInfo: boolean
  /** Of a `REPLACE`: whether it has been seen to answer the whole context. */
  isProven = false

  constructor(kind: number, type: string, work: unknown, params?: unknown) {
    this.kind = kind
    this.type = type
    this.work = work
    this.params = typeof params === 'function' ? undefined : params
    this.paramsOf = typeof params === 'function' ? (params as Resolver) : undefined
    this.needsInfo = kind === EFFECT || kind === CUSTOM || kind === EMIT || this.paramsOf !== undefined
  }
}

/**
 * Turns an action as written in a machine into a step; what cannot be one was refused before.
 *
 * @param replacesContext - Whether functions given to `assign` answer the whole context.
 */
export function actionStep(action: unknown, machine: AnyStateMachine, replacesContext: boolean): Step {
  if (typeof action === 'function')
    return resolvedStep(action.name || '(anonymous)', action, undefined, replacesContext)
  const type = actionName(action)
  const params =
    typeof action === 'object' && action !== null && 'params' in action ? action.params : undefined
  return resolvedStep(type, machine.implementations.actions[type], params, replacesContext)
}

function resolvedStep(type: string, work: unknown, params: unknown, replacesContext: boolean): Step {
  if (isEffect(work)) return new Step(EFFECT, type, work, params)
  if (!isBuiltinAction(work)) return new Step(CUSTOM, type, work, params)
  if (isAssign(work)) {
    const { assignment } = work as AssignAction
    const isWhole = replacesContext && typeof assignment === 'function'
    return new Step(isWhole ? REPLACE : ASSIGN, type, assignment, params)
  }
  if (isEmit(work)) return new Step(EMIT, type, work, params)
  throw new Error(`Expected an action that can be compiled, got '${work.type}'.`)
}

/** The name under which an action that is not a function is implemented. */
export const actionName = (action: unknown): string =>
  typeof action === 'string' ? action : (action as { type: string }).type
