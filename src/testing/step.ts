import type { JobId } from '../domain/job.ts'
import type { NodeId } from '../domain/node-spec.ts'

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
  | { readonly do: 'limit'; readonly maxParallelJobs: number }
  | { readonly do: 'shutdown'; readonly wait: boolean }
  /** The process stands still: time passes, and nobody is woken until it is over. */
  | { readonly do: 'stall'; readonly ms: number }

/** A deed, and when it was done: ms since the world began. */
export type Step = Deed & { readonly at: number }

/** A deed in short, the same for the same deed. */
export function nameOfDeed(deed: Deed): string {
  switch (deed.do) {
    case 'end':
      return `end ${deed.job}#${deed.attempt}${deed.as === 0 ? '' : ` as ${deed.as}`}`
    case 'obey':
    case 'fail':
    case 'lose':
    case 'reject':
    case 'repeat':
      return `${deed.do} ${deed.job}#${deed.attempt}`
    case 'decide':
      return `decide ${deed.node}`
    case 'cancel':
      return deed.job === undefined ? 'cancel' : `cancel ${deed.job}`
    case 'limit':
      return `limit ${deed.maxParallelJobs}`
    case 'shutdown':
      return deed.wait ? 'shutdown' : 'shutdown at once'
    case 'stall':
      return `stall ${deed.ms}`
    case 'wait':
    case 'pause':
    case 'resume':
      return deed.do
  }
}
