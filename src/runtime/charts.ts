import type { ActorOptions, ActorRefFrom } from 'xstate'
import { jobMachine, orchestratorMachine, poolMachine } from '../../machines/index.ts'
import { Actor, compile, LightActor } from '../statechart/index.ts'

/**
 * Whether the charts run as XState itself interprets them, instead of compiled and in light actors.
 *
 * Slower by a factor, and the same otherwise: the test suite runs both ways.
 */
const isInterpreted = process.env.ESPALIER_STATECHARTS === 'interpreted'

const prepared = isInterpreted ? <Machine>(machine: Machine): Machine => machine : compile

/** What the actors are made of: the light actor, or XState's own. */
export const ActorBase = isInterpreted ? Actor : LightActor

type Startable<Ref> = Omit<Ref, 'start'> & { start(): Ref }

type Report = (thrown: unknown) => void

/**
 * An observer that cannot throw.
 *
 * XState rethrows what a subscriber throws as an uncaught exception, which ends the process; a subscriber of a pool's
 * actors is logged instead.
 */
export function shieldObserver(args: readonly unknown[], report: Report): object {
  const [first, error, complete] = args
  const given = (
    typeof first === 'object' && first !== null ? first : { next: first, error, complete }
  ) as Record<string, unknown>
  const shielded = (name: string) => {
    if (typeof given[name] !== 'function') return {}
    const call = (value?: unknown) => {
      try {
        ;(given[name] as (value?: unknown) => void)(value)
      } catch (thrown) {
        report(thrown)
      }
    }
    return { [name]: call }
  }
  return { ...shielded('next'), ...shielded('error'), ...shielded('complete') }
}

/** Something that takes the effects its chart asks for. */
export interface EffectTaker {
  takeEffect(type: string, params: unknown): void
}

/** An effect's implementation: it only writes down what is asked; the runtime acts after the step. */
const take =
  (type: string) =>
  ({ self }: { self: unknown }, params?: unknown): void =>
    (self as EffectTaker).takeEffect(type, params)

export const jobLogic = prepared(
  jobMachine.provide({
    actions: {
      requestSlot: take('requestSlot'),
      startAttempt: take('startAttempt'),
      stopAttempt: take('stopAttempt'),
      abandonAttempt: take('abandonAttempt'),
      wakeAt: take('wakeAt'),
      notify: take('notify'),
      settle: take('settle'),
    },
  }),
)

export type PoolActor = ActorRefFrom<typeof poolMachine>
export type OrchestratorActor = ActorRefFrom<typeof orchestratorMachine>

/** The pool's actor, with its chart's effects given to `taker`. */
export function createPoolActor(
  taker: EffectTaker,
  report: Report,
  options: ActorOptions<typeof poolMachine>,
): Startable<PoolActor> {
  const logic = prepared(
    poolMachine.provide({
      actions: {
        dispatch: () => taker.takeEffect('dispatch', undefined),
        cancelJobs: (_, params) => taker.takeEffect('cancelJobs', params),
        wakeAt: (_, params) => taker.takeEffect('wakeAt', params),
        notify: (_, params) => taker.takeEffect('notify', params),
        close: () => taker.takeEffect('close', undefined),
      },
    }),
  )
  return shieldedActor(logic, options, report)
}

/** The orchestrator's actor, with its chart's effects given to `taker`. */
export function createOrchestratorActor(
  taker: EffectTaker,
  report: Report,
  options: ActorOptions<typeof orchestratorMachine>,
): Startable<OrchestratorActor> {
  const logic = prepared(
    orchestratorMachine.provide({
      actions: {
        plantRoot: () => taker.takeEffect('plantRoot', undefined),
        stopGrowth: (_, params) => taker.takeEffect('stopGrowth', params),
        wakeAt: (_, params) => taker.takeEffect('wakeAt', params),
        settle: () => taker.takeEffect('settle', undefined),
      },
    }),
  )
  return shieldedActor(logic, options, report)
}

function shieldedActor<Ref extends object>(logic: object, options: object, report: Report): Startable<Ref> {
  const actor = new (ActorBase as unknown as new (logic: object, options: object) => Ref & Subscribable)(
    logic,
    options,
  )
  const subscribe = actor.subscribe.bind(actor)
  actor.subscribe = (...args) => subscribe(shieldObserver(args, report))
  return actor as unknown as Startable<Ref>
}

interface Subscribable {
  subscribe(...args: readonly unknown[]): unknown
}
