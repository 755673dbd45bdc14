import { assign, setup } from 'xstate'
import type {
  CancelledResult,
  CancelSource,
  CompletedResult,
  FailedResult,
  FailureReason,
  JobId,
  JobPolicy,
  JobResult,
  JobUsage,
} from '../src/domain/job.ts'
import { backoffMs } from '../src/domain/retry.ts'
import { timeoutError } from '../src/domain/timeout-error.ts'

/** What a job is, as far as its life depends on it or its result tells it. */
export interface JobInput {
  readonly jobId: JobId
  /** Absent for a job that stands alone. */
  readonly origin: JobOrigin | undefined
  readonly policy: JobPolicy
  readonly queuedAt: number
  /** Not before this instant, epoch ms; `undefined`: at once. */
  readonly readyAt: number | undefined
}

/** What a job belongs to. */
export interface JobOrigin {
  readonly nodeId: string | undefined
  readonly treeId: string | undefined
  readonly metadata: unknown
}

/** Why a running attempt is asked to end. */
export interface Stopping {
  readonly by: 'timeout' | CancelSource
  readonly reason: string
  readonly causedBy: JobId | undefined
}

export interface JobContext extends Omit<JobInput, 'readyAt'> {
  /** The current attempt, from 1; 0 before the first. */
  readonly attempt: number
  /** How many attempts were lost with what ran them; they do not count as retries. */
  readonly lost: number
  /** What the job waits for, epoch ms: its start, its timeout or the end of its kill grace. */
  readonly deadlineAt: number | undefined
  /** When the current attempt started, epoch ms; `undefined` before the first. */
  readonly startedAt: number | undefined
  readonly stopping: Stopping | undefined
}

/** Every `at` is epoch ms; every result carries the number of the attempt it belongs to. */
export type JobEvent =
  | { readonly type: 'dependencies.met'; readonly at: number }
  | { readonly type: 'slot.granted'; readonly at: number }
  | { readonly type: 'deadline.reached'; readonly at: number }
  | {
      readonly type: 'job.cancel'
      readonly at: number
      readonly by: CancelSource
      readonly reason: string
      readonly causedBy?: JobId
    }
  | {
      readonly type: 'attempt.completed'
      readonly at: number
      readonly attempt: number
      readonly value: unknown
      readonly usage?: JobUsage | undefined
    }
  | {
      readonly type: 'attempt.failed'
      readonly at: number
      readonly attempt: number
      readonly error: Error
      /** An `error` may be retried, `lost` is counted apart, `rejected` is final. */
      readonly reason: Exclude<FailureReason, 'timeout'>
      /** Decides the jitter of the backoff: a number in [0, 1). */
      readonly random: number
      readonly usage?: JobUsage | undefined
    }

type AttemptEnded = Extract<JobEvent, { type: 'attempt.completed' | 'attempt.failed' }>

/** When the next attempt may start, now that the current one has ended; 0: at once, -1: never. */
function retryAt(context: JobContext, event: AttemptEnded): number {
  const failures = context.attempt - context.lost
  if (failures > context.policy.maxRetries) return -1
  // A completion after the timeout costs a retry like any timeout; it draws no jitter.
  const rest = backoffMs(
    context.policy.backoff,
    failures,
    event.type === 'attempt.failed' ? event.random : 0.5,
  )
  return rest > 0 ? event.at + rest : 0
}

const stoppingFor = (event: JobEvent): Stopping =>
  event.type === 'job.cancel'
    ? { by: event.by, reason: event.reason, causedBy: event.causedBy }
    : { by: 'timeout', reason: 'timeout', causedBy: undefined }

const job = setup({
  types: {
    input: {} as JobInput,
    context: {} as JobContext,
    events: {} as JobEvent,
    output: {} as JobResult,
    tags: {} as 'queued' | 'running' | 'ended',
  },
  guards: {
    isDelayed: ({ context }) => context.deadlineAt !== undefined,
    isDue: ({ context, event }) => event.at >= (context.deadlineAt ?? Number.POSITIVE_INFINITY),
    isStale: ({ context, event }) => (event as AttemptEnded).attempt !== context.attempt,
    isCurrent: ({ context, event }) => (event as AttemptEnded).attempt === context.attempt,
    isEarly: ({ context, event }) => event.at < (context.deadlineAt ?? Number.POSITIVE_INFINITY),
    isTimedOut: ({ context }) => context.stopping?.by === 'timeout',
    isUnwanted: ({ context }) => context.stopping?.by !== 'timeout',
    isRejected: ({ event }) => event.type === 'attempt.failed' && event.reason === 'rejected',
    isLost: ({ event }) => event.type === 'attempt.failed' && event.reason === 'lost',
    isReplaceable: ({ context, event }) =>
      event.type === 'attempt.failed' && event.reason === 'lost' && context.lost < context.policy.maxLost,
    canRetryAtOnce: ({ context, event }) => retryAt(context, event as AttemptEnded) === 0,
    canRetryLater: ({ context, event }) => retryAt(context, event as AttemptEnded) > 0,
  },
  actions: {
    /** Puts the job into the pool's ready queue. */
    requestSlot: () => {},
    /** Hands the attempt to the job's executor. */
    startAttempt: (_, _params: { attempt: number; at: number }) => {},
    /** Asks the executor to end the attempt and to confirm it. */
    stopAttempt: (_, _params: { attempt: number; by: Stopping['by']; reason: string }) => {},
    /** Stops waiting for the executor: what still runs is a zombie. */
    abandonAttempt: (_, _params: { attempt: number }) => {},
    /** Asks for `deadline.reached` at an instant, instead of any earlier wish; `at: 0` only withdraws. */
    wakeAt: (_, _params: { at: number }) => {},
    /** Tells observers of a retry. */
    notify: (_, _params: { type: 'job.retrying'; attempt: number; at: number }) => {},
    /** Records the actor's output as the job's outcome, for ever; withdraws its wish to be woken. */
    settle: () => {},
  },
})

/** The attempt is to end: its slot is held until it has, or until the kill grace is over. */
const askToStop = job.assign(({ context, event }) => ({
  ...context,
  deadlineAt: event.at + context.policy.killGraceMs,
  stopping: stoppingFor(event),
}))

const overruleTimeout = job.assign(({ context, event }) => ({ ...context, stopping: stoppingFor(event) }))

const restBeforeRetry = job.assign(({ context, event }) => ({
  ...context,
  deadlineAt: retryAt(context, event as AttemptEnded),
}))

const countLost = job.assign(({ context }) => ({ ...context, lost: context.lost + 1 }))

const withdrawWake = { type: 'wakeAt', params: { at: 0 } } as const

const notifyRetryAtOnce = {
  type: 'notify',
  params: ({ context, event }: { context: JobContext; event: JobEvent }) => ({
    type: 'job.retrying' as const,
    attempt: context.attempt,
    at: event.at,
  }),
} as const

const notifyRetryLater = {
  type: 'notify',
  params: ({ context, event }: { context: JobContext; event: JobEvent }) => ({
    type: 'job.retrying' as const,
    attempt: context.attempt,
    at: context.deadlineAt ?? event.at,
  }),
} as const

/** What follows an attempt that ended without success: another try while the policy allows it, or the end. */
const retryOrFail = [
  { guard: 'canRetryAtOnce', target: '#job.queued.ready', actions: [withdrawWake, notifyRetryAtOnce] },
  { guard: 'canRetryLater', target: '#job.queued.delayed', actions: [restBeforeRetry, notifyRetryLater] },
  { target: '#job.failed' },
] as const

const wakeAtDeadline = {
  type: 'wakeAt',
  params: ({ context }: { context: JobContext }) => ({ at: context.deadlineAt ?? 0 }),
} as const

/** What differs by how a job ended; what is absent is `undefined` in its result. */
type Ending =
  | Pick<CompletedResult, 'status' | 'value'>
  | Pick<FailedResult, 'status' | 'error' | 'reason'>
  | Pick<CancelledResult, 'status' | 'reason' | 'cancelledBy' | 'causedBy'>

/** The job's result, the actor's output. */
function resultOf(context: JobContext, event: JobEvent, ending: Ending): JobResult {
  const { status, value, error, reason, cancelledBy, causedBy }: Partial<Record<keyof JobResult, unknown>> =
    ending
  const { jobId, origin, queuedAt, attempt, startedAt } = context
  const { at: endedAt } = event
  return {
    jobId,
    nodeId: origin?.nodeId,
    treeId: origin?.treeId,
    status,
    value,
    error,
    reason,
    cancelledBy,
    causedBy,
    attempts: attempt,
    queuedAt,
    startedAt,
    endedAt,
    durationMs: startedAt === undefined ? 0 : endedAt - startedAt,
    metadata: origin?.metadata,
    usage: event.type === 'attempt.completed' || event.type === 'attempt.failed' ? event.usage : undefined,
  } as JobResult
}

/**
 * The life of one job.
 *
 * What waits for time compares `event.at` with `deadlineAt`; what ends an attempt is compared with the current
 * attempt's number: early and late events are listed, and change nothing.
 */
export const jobMachine = job.createMachine({
  id: 'job',
  description: 'One unit of work: it waits, runs in attempts, and ends once.',
  context: ({ input: { jobId, origin, policy, queuedAt, readyAt } }) => ({
    jobId,
    origin,
    policy,
    queuedAt,
    attempt: 0,
    lost: 0,
    deadlineAt: readyAt,
    startedAt: undefined,
    stopping: undefined,
  }),
  output: ({ event }) => event.output as JobResult,
  initial: 'queued',
  states: {
    queued: {
      description: 'Accepted, and not running.',
      tags: 'queued',
      initial: 'blocked',
      on: {
        'job.cancel': 'cancelled',
        // Late words of an attempt that was retried or never started.
        'attempt.completed': {},
        'attempt.failed': {},
      },
      states: {
        blocked: {
          description: 'Waits for its submission to be committed and for its dependencies to end well.',
          on: {
            'dependencies.met': [{ guard: 'isDelayed', target: 'delayed' }, { target: 'ready' }],
          },
        },
        delayed: {
          description: 'Waits for an instant: its start delay, or the backoff after a failed attempt.',
          entry: wakeAtDeadline,
          on: { 'deadline.reached': { guard: 'isDue', target: 'ready' } },
        },
        ready: {
          description: 'Wants a slot of the pool.',
          entry: 'requestSlot',
          on: {
            'slot.granted': {
              target: '#job.running',
              actions: assign(({ context, event }) => ({
                ...context,
                attempt: context.attempt + 1,
                deadlineAt: event.at + context.policy.timeoutMs,
                startedAt: event.at,
                stopping: undefined,
              })),
            },
          },
        },
      },
    },
    running: {
      description: 'Holds a slot of the pool.',
      tags: 'running',
      initial: 'executing',
      states: {
        executing: {
          description: 'Its executor runs the current attempt.',
          entry: [
            wakeAtDeadline,
            {
              type: 'startAttempt',
              params: ({ context, event }) => ({ attempt: context.attempt, at: event.at }),
            },
          ],
          on: {
            'attempt.completed': { guard: 'isCurrent', target: '#job.completed' },
            'attempt.failed': [
              { guard: 'isStale' },
              { guard: 'isRejected', target: '#job.failed' },
              {
                guard: 'isReplaceable',
                target: '#job.queued.ready',
                actions: [countLost, withdrawWake, notifyRetryAtOnce],
              },
              { guard: 'isLost', target: '#job.failed' },
              ...retryOrFail,
            ],
            'deadline.reached': { guard: 'isDue', target: 'stopping', actions: askToStop },
            'job.cancel': { target: 'stopping', actions: askToStop },
          },
        },
        stopping: {
          description:
            'A cancel or timeout asked the attempt to end; the slot is held until that is confirmed.',
          entry: [
            wakeAtDeadline,
            {
              type: 'stopAttempt',
              params: ({ context: { attempt, stopping } }) => ({
                attempt,
                by: stopping?.by ?? 'user',
                reason: stopping?.reason ?? 'user',
              }),
            },
          ],
          on: {
            // However the attempt ends now, it is confirmed: what it was stopped for decides.
            'attempt.completed': [
              { guard: 'isStale' },
              { guard: 'isUnwanted', target: '#job.cancelled' },
              ...retryOrFail,
            ],
            'attempt.failed': [
              { guard: 'isStale' },
              { guard: 'isUnwanted', target: '#job.cancelled' },
              ...retryOrFail,
            ],
            'deadline.reached': [
              { guard: 'isEarly' },
              {
                guard: 'isUnwanted',
                target: '#job.cancelled',
                actions: { type: 'abandonAttempt', params: ({ context }) => ({ attempt: context.attempt }) },
              },
              {
                target: '#job.failed',
                actions: { type: 'abandonAttempt', params: ({ context }) => ({ attempt: context.attempt }) },
              },
            ],
            'job.cancel': [
              // A cancel overrules a timeout: no retry follows. It does not prolong the grace.
              { guard: 'isTimedOut', actions: overruleTimeout },
              {},
            ],
          },
        },
      },
    },
    completed: {
      description: 'Ended well.',
      tags: 'ended',
      type: 'final',
      entry: 'settle',
      output: ({ context, event }) => {
        const { value } = event as Extract<JobEvent, { type: 'attempt.completed' }>
        return resultOf(context, event, { status: 'completed', value })
      },
    },
    failed: {
      description: 'Ended with an error, a timeout, or a lost or rejected attempt.',
      tags: 'ended',
      type: 'final',
      entry: 'settle',
      output: ({ context, event }) => {
        if (context.stopping !== undefined) {
          const { jobId, attempt, policy } = context
          const error = timeoutError(jobId, attempt, policy.timeoutMs)
          return resultOf(context, event, { status: 'failed', error, reason: 'timeout' })
        }
        const { error, reason } = event as Extract<JobEvent, { type: 'attempt.failed' }>
        return resultOf(context, event, { status: 'failed', error, reason })
      },
    },
    cancelled: {
      description: 'Ended because it was no longer wanted.',
      tags: 'ended',
      type: 'final',
      entry: 'settle',
      output: ({ context, event }) => {
        const { by, reason, causedBy } =
          event.type === 'job.cancel' ? event : (context.stopping ?? stoppingFor(event))
        // What timed out has failed.
        const cancelledBy = by as CancelSource
        return resultOf(context, event, { status: 'cancelled', reason, cancelledBy, causedBy })
      },
    },
  },
})
