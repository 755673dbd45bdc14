import type { DecisionCut } from '../../domain/decision.ts'
import type { CancelSource, JobUsage } from '../../domain/job.ts'

/**
 * What the pool's thread writes down, for another thread to make the journal of.
 *
 * A record is {@link RECORD_WORDS} numbers: a time, a job's sequence, a code with a state, and a detail. Codes below 64 are
 * those of the journal's events; the others say more about the record that follows, stand for an item, or for several events.
 */
export interface RawChunk {
  /** For each record: µs since the time of the last {@link RAW_TIME}; sequence; code, in 8 bits, and state; detail. */
  readonly words: Int32Array<ArrayBuffer>
  readonly count: number
  /** What does not fit into numbers; a record {@link RAW_ITEM} has the place in here as its detail. */
  readonly items: readonly RawItem[]
  /** Names that are new; a name is known by its place in all of them, from 1. */
  readonly names: readonly string[]
  /** About how much memory it takes. */
  readonly bytes: number
}

export const RECORD_WORDS = 4

/** The next item of the chunk. */
export const RAW_ITEM = 64
/** The job submitted next has this score: its bits as a float32 are in `detail`. */
export const RAW_SCORE = 65
/** The job submitted next belongs to a tree: `sequence` is the tree's name, `detail` the node's number plus 1. */
export const RAW_ORIGIN = 66
/** The job depends on the job whose sequence is in `detail`. */
export const RAW_DEPENDS = 67
/** Times from here on are counted from the epoch ms whose bits as a float64 are in the record's first word and its last. */
export const RAW_TIME = 68

/*
 * What follows may be noted later than it happened: its time, not its place, says when that was. All other records are in order.
 */

/** Submitted, and at once ready. */
export const RAW_READY_AT_ONCE = 69
/** Granted a slot and started. `detail` is the slot. */
export const RAW_STARTED_AT_ONCE = 70
/**
 * Completed at its time. The slot is in place of a state, and `detail` says how many µs before it was granted the slot and started;
 * -1 when that has been noted apart.
 */
export const RAW_RAN = 71

/** How many events of the journal a record stands for; an item counts as one. */
export function eventsOf(code: number, detail: number): number {
  switch (code) {
    case RAW_RAN:
      return detail < 0 ? 1 : 3
    case RAW_READY_AT_ONCE:
    case RAW_STARTED_AT_ONCE:
      return 2
    case RAW_SCORE:
    case RAW_ORIGIN:
    case RAW_DEPENDS:
    case RAW_TIME:
      return 0
    default:
      return 1
  }
}

/** A record that is not only numbers. Jobs are named by their sequence. */
export type RawItem =
  | {
      /** About the job submitted next. */
      readonly type: 'job'
      /** Absent when the pool has made it. */
      readonly id?: string
      readonly nodeId?: string | undefined
      readonly treeId?: string | undefined
      readonly executor?: string
    }
  | {
      readonly type: 'failed'
      /** By which it failed; absent: `attempt.failed`. */
      readonly event?: 'deadline.reached'
      readonly job: number
      readonly at: number
      readonly state: number
      readonly attempt: number
      readonly error: RawError
    }
  | {
      readonly type: 'cancelled'
      readonly job: number
      readonly at: number
      readonly state: number
      readonly by: CancelSource
      readonly reason: string
      readonly causedBy: number | undefined
    }
  | {
      readonly type: 'ignored'
      readonly job: number
      readonly at: number
      readonly state: number
      readonly event: string
    }
  | {
      readonly type: 'log'
      readonly job: number
      readonly at: number
      readonly attempt: number
      /** Of `stdout` and `stderr` as it came: it may be many lines. */
      readonly line: string
      /** Index into `LOG_STREAMS`. */
      readonly stream: number
    }
  | {
      readonly type: 'usage'
      readonly job: number
      readonly at: number
      readonly attempt: number
      readonly usage: JobUsage
    }
  | {
      readonly type: 'pool'
      readonly at: number
      readonly event: string
      readonly state: number
      readonly limit: number
    }
  | {
      readonly type: 'run'
      readonly at: number
      readonly id: string
      readonly workflow: string
      readonly strategy: string
    }
  | {
      readonly type: 'node'
      readonly at: number
      readonly run: string
      readonly number: number
      readonly parent: number | undefined
      readonly depth: number
      readonly job: number
      readonly handler: string
      readonly label: string
      readonly key: string | undefined
      readonly score: number | undefined
    }
  | {
      readonly type: 'nodeChanged'
      readonly at: number
      readonly run: string
      readonly number: number
      readonly state: number
      readonly job: number
    }
  | {
      readonly type: 'decided'
      readonly at: number
      readonly run: string
      readonly number: number
      readonly state: number
      readonly decision: string
      readonly why: string | undefined
      readonly score: number | undefined
      readonly nodes: number
      readonly cut: readonly DecisionCut[]
      readonly error: string | undefined
    }
  | {
      readonly type: 'runEnded'
      readonly at: number
      readonly run: string
      readonly state: string
      readonly reason: string
    }
  | { readonly type: 'sample'; readonly row: Readonly<Record<string, number>> & { readonly at: number } }
  | {
      readonly type: 'body'
      readonly job: number
      readonly at: number
      readonly attempt: number
      readonly machine: string
      readonly active: string
    }
  | { readonly type: 'document'; readonly name: string; readonly text: string }

/** What an attempt threw, as text. */
export interface RawError {
  readonly name: string
  readonly message: string
  readonly code: string
  readonly stack: string
  /** The name and message of each cause, the nearest first, a line each; empty for none. */
  readonly causes: string
}

export function cutText(text: string, longest: number): string {
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text
}
