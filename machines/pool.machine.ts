import { produce } from 'immer'
import { setup } from 'xstate'
import type { JobResult } from '../src/domain/job.ts'
import type { PressureReason } from '../src/domain/pressure.ts'

/** How many jobs of the pool are in each status. */
export interface JobCounts {
  readonly queued: number
  readonly running: number
  readonly completed: number
  readonly failed: number
  readonly cancelled: number
}

export interface PoolInput {
  readonly maxParallelJobs: number
}

export interface PoolContext {
  readonly maxParallelJobs: number
  readonly jobs: JobCounts
  /** When a shutdown stops waiting, epoch ms; 0: no shutdown asked. */
  readonly deadlineAt: number
  /** Why and since when the pool is throttled; `null` when it is not. */
  readonly pressure: PoolPressure | null
}

/** What throttles a pool. */
export interface PoolPressure {
  /** Epoch ms. */
  readonly since: number
  readonly reasons: readonly PressureReason[]
}

/** Every `at` is epoch ms. */
export type PoolEvent =
  | { readonly type: 'pool.pause'; readonly at: number }
  | { readonly type: 'pool.resume'; readonly at: number }
  | { readonly type: 'pool.limit'; readonly at: number; readonly maxParallelJobs: number }
  | { readonly type: 'pressure.raised'; readonly at: number; readonly reasons: readonly PressureReason[] }
  | { readonly type: 'pressure.cleared'; readonly at: number }
  /** The jobs' counts after a batch of changes. */
  | { readonly type: 'jobs.changed'; readonly at: number; readonly jobs: JobCounts }
  | {
      readonly type: 'pool.shutdown'
      readonly at: number
      readonly wait: boolean
      readonly timeoutMs: number
    }
  | { readonly type: 'deadline.reached'; readonly at: number }
  | JobDone

/** What XState tells a parent when a child is done; `jobs.changed` says the same for many at once. */
interface JobDone {
  readonly type: 'xstate.done.actor.job'
  readonly output: JobResult
}

const isIdle = (jobs: JobCounts) => jobs.queued + jobs.running === 0

const pool = setup({
  types: {
    input: {} as PoolInput,
    context: {} as PoolContext,
    events: {} as PoolEvent,
    tags: {} as 'accepting' | 'dispatching' | 'trickling',
  },
  guards: {
    isIdle: ({ context }) => isIdle(context.jobs),
    hasBecomeIdle: ({ event }) => event.type === 'jobs.changed' && isIdle(event.jobs),
    mayWait: ({ event }) => event.type === 'pool.shutdown' && event.wait,
    mayNotWait: ({ event }) => event.type === 'pool.shutdown' && !event.wait,
    mayWaitLess: ({ context, event }) =>
      event.type === 'pool.shutdown' && event.at + event.timeoutMs < context.deadlineAt,
    isDue: ({ context, event }) =>
      event.type === 'deadline.reached' && context.deadlineAt > 0 && event.at >= context.deadlineAt,
  },
  actions: {
    /** Grants free slots to ready jobs. */
    dispatch: () => {},
    /** Cancels every job that has not ended. */
    cancelJobs: (_, _params: { reason: string }) => {},
    /** Asks for `deadline.reached` at an instant. */
    wakeAt: (_, _params: { at: number }) => {},
    /** Tells observers of a change of the pool itself. */
    notify: (
      _,
      _params:
        | { type: 'pool.paused' | 'pool.resumed' | 'pool.unthrottled' | 'pool.closed' }
        | { type: 'pool.throttled'; reasons: readonly PressureReason[] }
        | { type: 'pool.limited'; maxParallelJobs: number },
    ) => {},
    /** Lets go of what the pool holds: no job is left. */
    close: () => {},
  },
})

/** Whole and without a draft: it happens in every turn of the event loop. */
const recount = pool.assign(({ context, event }) =>
  event.type === 'jobs.changed' ? { ...context, jobs: event.jobs } : context,
)

const setDeadline = pool.assign(({ context, event }) =>
  produce(context, (draft) => {
    if (event.type === 'pool.shutdown') draft.deadlineAt = event.at + event.timeoutMs
  }),
)

const setLimit = pool.assign(({ context, event }) =>
  produce(context, (draft) => {
    if (event.type === 'pool.limit') draft.maxParallelJobs = event.maxParallelJobs
  }),
)

const notePressure = pool.assign(({ context, event }) =>
  produce(context, (draft) => {
    if (event.type !== 'pressure.raised') return
    draft.pressure = { since: context.pressure?.since ?? event.at, reasons: [...event.reasons] }
  }),
)

const forgetPressure = pool.assign(({ context }) =>
  produce(context, (draft) => {
    draft.pressure = null
  }),
)

const notifyThrottled = {
  type: 'notify',
  params: ({ context }: { context: PoolContext }) => ({
    type: 'pool.throttled' as const,
    reasons: context.pressure?.reasons ?? [],
  }),
} as const

const wakeAtDeadline = {
  type: 'wakeAt',
  params: ({ context }: { context: PoolContext }) => ({ at: context.deadlineAt }),
} as const

const cancelForShutdown = { type: 'cancelJobs', params: { reason: 'shutdown' } } as const

/**
 * The supervisor of all jobs: whether it takes new ones, and whether ready ones may start.
 *
 * Its context holds settings and counts; the jobs, their queue and their graph are the runtime's.
 */
export const poolMachine = pool.createMachine({
  id: 'pool',
  description: 'Grants its slots to ready jobs, and ends when all of them have ended.',
  context: ({ input }) => ({
    maxParallelJobs: input.maxParallelJobs,
    jobs: { queued: 0, running: 0, completed: 0, failed: 0, cancelled: 0 },
    deadlineAt: 0,
    pressure: null,
  }),
  type: 'parallel',
  on: {
    'jobs.changed': { actions: recount },
    'xstate.done.actor.job': {},
    'pool.limit': {
      actions: [
        setLimit,
        {
          type: 'notify',
          params: ({ context }) => ({ type: 'pool.limited', maxParallelJobs: context.maxParallelJobs }),
        },
        'dispatch',
      ],
    },
  },
  states: {
    lifecycle: {
      description: 'Whether the pool takes jobs.',
      initial: 'accepting',
      states: {
        accepting: {
          description: 'Takes new jobs.',
          tags: 'accepting',
          on: {
            'pool.shutdown': [
              { guard: 'isIdle', target: 'closed' },
              {
                guard: 'mayWait',
                target: 'draining',
                actions: [setDeadline, wakeAtDeadline],
              },
              { target: 'draining', actions: cancelForShutdown },
            ],
          },
        },
        draining: {
          description:
            'Takes no new jobs; the accepted ones run to their end, or until the deadline cancels them.',
          on: {
            'jobs.changed': { guard: 'hasBecomeIdle', target: 'closed', actions: recount },
            'deadline.reached': { guard: 'isDue', actions: cancelForShutdown },
            'pool.shutdown': [
              { guard: 'mayNotWait', actions: cancelForShutdown },
              { guard: 'mayWaitLess', actions: [setDeadline, wakeAtDeadline] },
            ],
          },
        },
        closed: {
          description: 'All jobs have ended; nothing is held any more.',
          entry: [{ type: 'notify', params: { type: 'pool.closed' } }, 'close'],
        },
      },
    },
    dispatch: {
      description: 'Whether ready jobs may start.',
      initial: 'open',
      states: {
        open: {
          description: 'A free slot goes to the first ready job at once.',
          tags: 'dispatching',
          on: {
            'pool.pause': 'paused',
            'pressure.raised': { target: 'throttled', actions: notePressure },
          },
        },
        paused: {
          description: 'Nothing new starts; what runs goes on.',
          entry: { type: 'notify', params: { type: 'pool.paused' } },
          exit: { type: 'notify', params: { type: 'pool.resumed' } },
          on: {
            'pool.resume': { target: 'open', actions: 'dispatch' },
            // A drain could never end while paused.
            'pool.shutdown': { target: 'open', actions: 'dispatch' },
          },
        },
        throttled: {
          description:
            'The machine is under pressure: a job starts only when no other runs, until that is over.',
          tags: 'trickling',
          entry: notifyThrottled,
          exit: [forgetPressure, { type: 'notify', params: { type: 'pool.unthrottled' } }],
          on: {
            // Something else has become too high, or one of several is over.
            'pressure.raised': { actions: [notePressure, notifyThrottled] },
            'pressure.cleared': { target: 'open', actions: 'dispatch' },
            'pool.pause': 'paused',
          },
        },
      },
    },
  },
})
