import { produce } from 'immer'
import { setup } from 'xstate'
import type { RunReason } from '../src/domain/tree.ts'

export interface OrchestratorInput {
  /** 0: a run may take for ever. */
  readonly maxRunMs: number
}

/** How many of a tree's parts are still at work. */
export interface TreeCounts {
  readonly nodes: number
  /** Jobs that have not ended. */
  readonly jobs: number
  /** Completions and failures that `expand` has not answered yet. */
  readonly decisions: number
  /** Whether a decision was cut because the tree may hold no more nodes. */
  readonly isCut: boolean
}

export interface OrchestratorContext {
  readonly maxRunMs: number
  readonly tree: TreeCounts
  /** When the run must have stopped growing, epoch ms; 0: never. */
  readonly deadlineAt: number
  /** Why growth has ended; `undefined` while it goes on. */
  readonly reason: RunReason | undefined
}

/** How a run ended; the actor's output. */
export interface OrchestratorOutput {
  readonly status: 'completed' | 'failed' | 'cancelled'
  readonly reason: RunReason
}

/** Every `at` is epoch ms. */
export type OrchestratorEvent =
  | { readonly type: 'run.start'; readonly at: number }
  | { readonly type: 'run.cancel'; readonly at: number }
  /** The tree's counts after a batch of changes. */
  | { readonly type: 'tree.changed'; readonly at: number; readonly tree: TreeCounts }
  /** A decision was `satisfy`. */
  | { readonly type: 'tree.satisfied'; readonly at: number; readonly stopRunning: boolean }
  /** A root failed for good, or any node did and the workflow says `failFast`; `error` is for the record. */
  | { readonly type: 'tree.failed'; readonly at: number; readonly error?: Error | undefined }
  | { readonly type: 'deadline.reached'; readonly at: number }

const isAtRest = (tree: TreeCounts) => tree.jobs + tree.decisions === 0

const orchestrator = setup({
  types: {
    input: {} as OrchestratorInput,
    context: {} as OrchestratorContext,
    events: {} as OrchestratorEvent,
    output: {} as OrchestratorOutput,
    tags: {} as 'growing' | 'ended',
  },
  guards: {
    hasComeToRest: ({ event }) => event.type === 'tree.changed' && isAtRest(event.tree),
    hasComeToRestFailed: ({ context, event }) =>
      event.type === 'tree.changed' && isAtRest(event.tree) && context.reason === 'failed',
    hasComeToRestCancelled: ({ context, event }) =>
      event.type === 'tree.changed' && isAtRest(event.tree) && context.reason === 'cancelled',
    isDue: ({ context, event }) => context.deadlineAt > 0 && event.at >= context.deadlineAt,
  },
  actions: {
    /** Submits the workflow's root. */
    plantRoot: () => {},
    /** Cancels the tree's queued jobs and open decisions, and its running jobs too when told. */
    stopGrowth: (_, _params: { stopRunning: boolean }) => {},
    /** Asks for `deadline.reached` at an instant, instead of any earlier wish; `at: 0` only withdraws. */
    wakeAt: (_, _params: { at: number }) => {},
    /** Tells whoever waits for the run that it has ended. */
    settle: () => {},
  },
})

const recount = orchestrator.assign(({ context, event }) =>
  produce(context, (draft) => {
    if (event.type === 'tree.changed') draft.tree = event.tree
  }),
)

const setDeadline = orchestrator.assign(({ context, event }) =>
  produce(context, (draft) => {
    draft.deadlineAt = context.maxRunMs > 0 ? event.at + context.maxRunMs : 0
  }),
)

const endFor = (reason: RunReason) =>
  orchestrator.assign(({ context }) =>
    produce(context, (draft) => {
      draft.reason = reason
    }),
  )

const recountAndRest = orchestrator.assign(({ context, event }) =>
  produce(context, (draft) => {
    if (event.type !== 'tree.changed') return
    draft.tree = event.tree
    draft.reason ??= event.tree.isCut ? 'limit' : 'exhausted'
  }),
)

/**
 * The life of one run: it grows while jobs or decisions are outstanding, settles what is left, and ends once.
 *
 * The tree itself, and who decides what about which node, is the runtime's; here are its counts.
 */
export const orchestratorMachine = orchestrator.createMachine({
  id: 'orchestrator',
  description: 'Grows one tree of jobs, by asking the workflow after each completion.',
  context: ({ input }) => ({
    maxRunMs: input.maxRunMs,
    tree: { nodes: 0, jobs: 0, decisions: 0, isCut: false },
    deadlineAt: 0,
    reason: undefined,
  }),
  output: ({ event }) => event.output as OrchestratorOutput,
  initial: 'queued',
  states: {
    queued: {
      description: 'Not started.',
      on: {
        'run.start': { target: 'running', actions: setDeadline },
        'run.cancel': { target: 'cancelled', actions: endFor('cancelled') },
      },
    },
    running: {
      description: 'Jobs or decisions are outstanding.',
      entry: [{ type: 'wakeAt', params: ({ context }) => ({ at: context.deadlineAt }) }, 'plantRoot'],
      exit: { type: 'wakeAt', params: { at: 0 } },
      initial: 'growing',
      on: {
        'tree.changed': { actions: recount },
      },
      states: {
        growing: {
          description: 'Each completion is put to `expand`, and its decision carried out at once.',
          tags: 'growing',
          on: {
            'tree.changed': {
              guard: 'hasComeToRest',
              target: '#orchestrator.completed',
              actions: recountAndRest,
            },
            'tree.satisfied': {
              target: 'settling',
              actions: [
                endFor('satisfied'),
                { type: 'stopGrowth', params: ({ event }) => ({ stopRunning: event.stopRunning }) },
              ],
            },
            'tree.failed': {
              target: 'settling',
              actions: [endFor('failed'), { type: 'stopGrowth', params: { stopRunning: true } }],
            },
            'deadline.reached': {
              guard: 'isDue',
              target: 'settling',
              actions: [endFor('limit'), { type: 'stopGrowth', params: { stopRunning: true } }],
            },
            'run.cancel': {
              target: 'settling',
              actions: [endFor('cancelled'), { type: 'stopGrowth', params: { stopRunning: true } }],
            },
          },
        },
        settling: {
          description: 'No more growth: what still runs comes to its end, or is being cancelled.',
          on: {
            'tree.changed': [
              { guard: 'hasComeToRestFailed', target: '#orchestrator.failed', actions: recount },
              { guard: 'hasComeToRestCancelled', target: '#orchestrator.cancelled', actions: recount },
              { guard: 'hasComeToRest', target: '#orchestrator.completed', actions: recount },
            ],
            'run.cancel': {
              actions: [endFor('cancelled'), { type: 'stopGrowth', params: { stopRunning: true } }],
            },
            // A run that was satisfied may still run out of time: then what runs is stopped too.
            'deadline.reached': {
              guard: 'isDue',
              actions: { type: 'stopGrowth', params: { stopRunning: true } },
            },
            // Late words of jobs and decisions that were already on their way.
            'tree.satisfied': {},
            'tree.failed': {},
          },
        },
      },
    },
    completed: {
      description: 'The answer was found, nothing was left to do, or a limit ended the growth.',
      tags: 'ended',
      type: 'final',
      entry: 'settle',
      output: ({ context }) => ({ status: 'completed', reason: context.reason ?? 'exhausted' }),
    },
    failed: {
      description: 'The root failed, or a node of a workflow that fails fast.',
      tags: 'ended',
      type: 'final',
      entry: 'settle',
      output: ({ context }) => ({ status: 'failed', reason: context.reason ?? 'failed' }),
    },
    cancelled: {
      description: 'The run was cancelled.',
      tags: 'ended',
      type: 'final',
      entry: 'settle',
      output: ({ context }) => ({ status: 'cancelled', reason: context.reason ?? 'cancelled' }),
    },
  },
})
