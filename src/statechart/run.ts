import type { AnyEventObject } from 'xstate'
import type { EffectAction, EffectTaker } from './effects.ts'
import type { Inspectors } from './inspection.ts'
import { ASSIGN, CUSTOM, type CustomWork, EFFECT, EMIT, FINISH, RAISE, REPLACE, type Step } from './steps.ts'
import type { Plan } from './table.ts'
import type { ActionArgs, EmitAction, InternalScope } from './xstate-internals.ts'

type Assignment = AssignFunction | Record<string, unknown>
type AssignFunction = (args: object, params: unknown) => object

let output: unknown

/** The output of the machine that `runPlan` has just finished: its second result, without an object for both. */
export function takeOutput(): unknown {
  const taken = output
  output = undefined
  return taken
}

/**
 * Takes a machine through one plan.
 *
 * @param isPlain - Whether effects may be called directly: the actor runs, and is a light one.
 * @param inspectors - Who is told of what is called directly.
 * @param raised - Receives the done events of states; needed when the plan raises any.
 * @returns The context afterwards. When the plan finishes the machine, `takeOutput` tells the output.
 * @throws What an action, its parameters or an output throws.
 */
export function runPlan(
  plan: Plan,
  before: unknown,
  event: AnyEventObject,
  scope: InternalScope,
  isPlain: boolean,
  inspectors: Inspectors | null,
  raised: AnyEventObject[] | undefined,
): unknown {
  const { steps } = plan
  let context = before
  // One for all steps that see the same context.
  let info: ActionArgs | undefined
  for (let index = 0; index < steps.length; index++) {
    const step = steps[index] as Step
    const { work } = step
    if (isPlain && step.kind === EFFECT) {
      // What the action itself would do; it needs neither a call of its own nor an info.
      const params = step.paramsOf === undefined ? step.params : step.paramsOf({ context, event })
      inspectors?.tellAction(scope.self, step.type, params)
      const taker = scope.self as unknown as EffectTaker
      taker.takeEffect((work as EffectAction).effect, params)
      continue
    }
    if (info === undefined && step.needsInfo)
      info = { context, event, self: scope.self, system: scope.system }
    const params = step.paramsOf === undefined ? step.params : step.paramsOf(info as ActionArgs)
    switch (step.kind) {
      case EFFECT:
      case CUSTOM: {
        const exec = work as CustomWork
        if (isPlain) {
          inspectors?.tellAction(scope.self, step.type, params)
          exec?.(info as ActionArgs, params)
        } else scope.actionExecutor({ type: step.type, info: info as ActionArgs, params, exec })
        break
      }
      case REPLACE:
      case ASSIGN:
        context = assigned(step, context, event, scope, params)
        info = undefined
        break
      case EMIT: {
        const args = info as ActionArgs
        const { type, execute } = work as EmitAction
        const [, resolved] = (work as EmitAction).resolve(scope, undefined, args, params, work)
        scope.actionExecutor({ type, info: args, params: resolved, exec: () => execute(scope, resolved) })
        break
      }
      case RAISE:
        // XState works the output of the last state out twice; nobody reads the first.
        if (!plan.finishes) raised?.push({ type: step.type, output: outputOf(work, context, event, scope) })
        break
      case FINISH:
        output = machineOutput(step, plan.output, context, event, scope)
        break
    }
  }
  return context
}

function assigned(
  step: Step,
  context: unknown,
  event: AnyEventObject,
  { self, system }: InternalScope,
  params: unknown,
): object {
  refuseNoContext(context)
  const args = { context, event, spawn: refuseSpawn, self, system }
  const assignment = step.work as Assignment
  if (typeof assignment === 'function') {
    const answer = assignment(args, params)
    return step.kind === REPLACE ? whole(answer, context, step) : { ...context, ...answer }
  }
  const update: Record<string, unknown> = {}
  for (const key of Object.keys(assignment)) {
    const value = assignment[key]
    update[key] = typeof value === 'function' ? value(args, params) : value
  }
  return { ...context, ...update }
}

/** The first answer of each function is looked at: one that leaves keys out would lose them. */
function whole(answer: object, context: object, step: Step): object {
  if (step.isProven) return answer
  const missing = Object.keys(context).find((key) => !(key in answer))
  if (missing !== undefined) {
    throw new Error(
      `Expected every \`assign\` of the machine to answer the whole context, got one without '${missing}'. ` +
        'Write `{ ...context, … }`, or compile the machine without `replacesContext`.',
    )
  }
  step.isProven = true
  return answer
}

function refuseNoContext(context: unknown): asserts context is object {
  if (context) return
  throw new Error(
    'Cannot assign to undefined `context`. Ensure that `context` is defined in the machine config.',
  )
}

function machineOutput(
  { type, work }: Step,
  ofMachine: unknown,
  context: unknown,
  event: AnyEventObject,
  scope: InternalScope,
): unknown {
  if (ofMachine === undefined) return undefined
  const done = { type, output: outputOf(work, context, event, scope) }
  return outputOf(ofMachine, context, done, scope)
}

function outputOf(work: unknown, context: unknown, event: AnyEventObject, { self }: InternalScope): unknown {
  return typeof work === 'function' ? work({ context, event, self }) : work
}

/** Stands in for XState's `spawn`. */
export function refuseSpawn(): never {
  throw new Error(
    'Expected a compiled machine without children, got a call of `spawn`. ' +
      'Create the actor outside of the machine, or run the machine uncompiled.',
  )
}
