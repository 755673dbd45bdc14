import type { ActorOptions, ActorRefFrom } from 'xstate'
import { jobMachine, orchestratorMachine, poolMachine } from '../../machines/index.ts'
import { compile, LightActor } from '../statechart/index.ts'
import { InterpretedActor } from './interpreted-actor.ts'
import { shieldObserver } from './shield.ts'

/**
 * Whether the charts run as XState itself interprets them, instead of compiled and in light actors.
 *
 * Slower by a factor, and the same otherwise: the test suite runs both ways.
 */
const isInterpreted = process.env.ESPALIER_STATECHARTS === 'interpreted'

const prepared = isInterpreted ? <Machine>(machine: Machine): Machine => machine : compile

/** What the actors are made of: the light actor, or XState's own. */
export const ChartActor = isInterpreted ? (InterpretedActor as unknown as typeof LightActor) : LightActor

type Report = (thrown: unknown) => void

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

export const poolLogic = prepared(
  poolMachine.provide({
    actions: {
      dispatch: take('dispatch'),
      cancelJobs: take('cancelJobs'),
      wakeAt: take('wakeAt'),
      notify: take('notify'),
      close: take('close'),
    },
  }),
)

export const orchestratorLogic = prepared(
  orchestratorMachine.provide({
    actions: {
      plantRoot: take('plantRoot'),
      stopGrowth: take('stopGrowth'),
      wakeAt: take('wakeAt'),
      settle: take('settle'),
    },
  }),
)

export type PoolActor = ActorRefFrom<typeof poolMachine>
export type OrchestratorActor = ActorRefFrom<typeof orchestratorMachine>

/** The pool's actor, started, with its chart's effects given to `taker`. */
export function startPoolActor(
  taker: EffectTaker,
  report: Report,
  options: ActorOptions<typeof poolMachine>,
): PoolActor {
  return new LedActor(poolLogic, options, taker, report).start() as unknown as PoolActor
}

/** The orchestrator's actor, started, with its chart's effects given to `taker`. */
export function startOrchestratorActor(
  taker: EffectTaker,
  report: Report,
  options: ActorOptions<typeof orchestratorMachine>,
): OrchestratorActor {
  return new LedActor(orchestratorLogic, options, taker, report).start() as unknown as OrchestratorActor
}

interface StartedActor {
  subscribe(...args: readonly unknown[]): unknown
  start(): this
}

/** An actor whose effects somebody else carries out. */
class LedActor extends (ChartActor as unknown as new (logic: object, options: object) => StartedActor) {
  readonly #taker: EffectTaker
  readonly #report: Report

  constructor(logic: object, options: object, taker: EffectTaker, report: Report) {
    super(logic, options)
    this.#taker = taker
    this.#report = report
  }

  takeEffect(type: string, params: unknown): void {
    this.#taker.takeEffect(type, params)
  }

  override subscribe(...args: readonly unknown[]): unknown {
    return super.subscribe(shieldObserver(args, this.#report))
  }
}
