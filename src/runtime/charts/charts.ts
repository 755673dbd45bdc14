import type { ActorOptions, ActorRefFrom } from 'xstate'
import { jobMachine, orchestratorMachine, poolMachine } from '../../../machines/index.ts'
import { compile, type EffectTaker, effect, LightActor } from '../../statechart/index.ts'
import { InterpretedActor } from './interpreted-actor.ts'
import { shieldObserver } from './shield.ts'

/**
 * Whether the charts run as XState itself interprets them, instead of compiled and in light actors.
 *
 * Slower by a factor, and the same otherwise: the test suite runs both ways.
 */
const isInterpreted = process.env.ESPALIER_STATECHARTS === 'interpreted'

const prepared: typeof compile = isInterpreted ? (machine) => machine : compile

/** What the actors are made of: the light actor, or XState's own. */
export const ChartActor = isInterpreted ? (InterpretedActor as unknown as typeof LightActor) : LightActor

type Report = (thrown: unknown) => void

export const jobLogic = prepared(
  jobMachine.provide({
    actions: {
      requestSlot: effect('requestSlot'),
      startAttempt: effect('startAttempt'),
      stopAttempt: effect('stopAttempt'),
      abandonAttempt: effect('abandonAttempt'),
      wakeAt: effect('wakeAt'),
      notify: effect('notify'),
      settle: effect('settle'),
    },
  }),
  { replacesContext: true },
)

export const poolLogic = prepared(
  poolMachine.provide({
    actions: {
      dispatch: effect('dispatch'),
      cancelJobs: effect('cancelJobs'),
      wakeAt: effect('wakeAt'),
      notify: effect('notify'),
      close: effect('close'),
    },
  }),
)

export const orchestratorLogic = prepared(
  orchestratorMachine.provide({
    actions: {
      plantRoot: effect('plantRoot'),
      stopGrowth: effect('stopGrowth'),
      wakeAt: effect('wakeAt'),
      settle: effect('settle'),
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
