import type { ActorOptions, AnyActorLogic, AnyActorScope, Observer } from 'xstate'
import type { Listeners } from './audience.ts'
import type { Letter } from './letters.ts'
import type { InternalSystem } from './xstate-internals.ts'

/** What few light actors have; kept apart so that the others pay one field for it. */
export interface Extras {
  readonly systemId: string | undefined
  readonly src: string | AnyActorLogic | undefined
  readonly clock: InternalSystem['_clock'] | undefined
  readonly logger: InternalSystem['_logger'] | undefined
  readonly syncSnapshot: boolean | undefined
  scope: AnyActorScope | undefined
  listeners: Listeners | undefined
  sessionId: string | undefined
  observers: Set<Observer<unknown>> | undefined
  /** Tasks for when the snapshot of the current step is in place. */
  deferred: (() => void)[] | undefined
  /** Events that wait, as a ring: the newest, whose `next` is the oldest. */
  newest: Letter | undefined
}

const none: ActorOptions<AnyActorLogic> = {}

/** The extras which options ask for; `undefined` when they ask for none. */
export function extrasOf(options: ActorOptions<AnyActorLogic> | undefined): Extras | undefined {
  const { systemId, src, clock, logger } = options ?? none
  const { syncSnapshot } = (options ?? none) as { syncSnapshot?: boolean }
  if (
    systemId === undefined &&
    src === undefined &&
    clock === undefined &&
    logger === undefined &&
    !syncSnapshot
  ) {
    return undefined
  }
  return { ...noExtras(), systemId, src, clock, logger, syncSnapshot }
}

export const noExtras = (): Extras => ({
  systemId: undefined,
  src: undefined,
  clock: undefined,
  logger: undefined,
  syncSnapshot: undefined,
  scope: undefined,
  listeners: undefined,
  sessionId: undefined,
  observers: undefined,
  deferred: undefined,
  newest: undefined,
})
