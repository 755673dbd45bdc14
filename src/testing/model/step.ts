import type { JobId } from '../../domain/job.ts'
import type { NodeId } from '../../domain/node-spec.ts'

/** One attempt of one job. */
interface OfAttempt {
  readonly job: JobId
  readonly attempt: number
}

/** What can happen to a world from outside, as JSON: a list of these is a run that can be repeated. */
export type Deed =
  /** The attempt ends as its handler's model says; `as` is the outcome's place in it. */
  | ({ readonly do: 'end'; readonly as: number } & OfAttempt)
  /** The attempt ends because it was asked to. */
  | ({ readonly do: 'obey' } & OfAttempt)
  /** Its handler throws. */
  | ({ readonly do: 'fail' } & OfAttempt)
  /** What ran it went away. */
  | ({ readonly do: 'lose' } & OfAttempt)
  /** Its executor cannot carry it. */
  | ({ readonly do: 'reject' } & OfAttempt)
  /** The end of an attempt is reported once more. */
  | ({ readonly do: 'repeat' } & OfAttempt)
  /** The answer of `expand` about a node arrives. */
  | { readonly do: 'decide'; readonly node: NodeId }
  /** Time passes, and the runtime's next wishes to be woken, so many, come true. */
  | { readonly do: 'wait'; readonly wakes: number }
  /** The run is cancelled, or one job. */
  | { readonly do: 'cancel'; readonly job?: JobId }
  | { readonly do: 'pause' }
  | { readonly do: 'resume' }
  /** The pool may run one job at a time, or as many as before. */
  | { readonly do: 'limit'; readonly isLowered: boolean }
  /** The machine comes under pressure, or it is over. */
  | { readonly do: 'pressure'; readonly isRaised: boolean }
  | { readonly do: 'shutdown'; readonly wait: boolean }
  /** The process dies, and another takes up what is stored: now, or at so many commits from now. */
  | { readonly do: 'crash'; readonly commit?: number; readonly isRecorded?: boolean }
  /** The store refuses every commit, or takes them again; with `commit`, it refuses the one so many commits from now. */
  | { readonly do: 'refuse'; readonly isFull: boolean; readonly commit?: number }
  /** The process stands still: time passes, and nobody is woken until it is over. */
  | { readonly do: 'stall'; readonly ms: number }

/** A deed, and when it was done: ms since the world began. */
export type Step = Deed & { readonly at: number }
