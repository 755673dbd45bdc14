import type { CancelSource, JobStatus } from '../domain/job.ts'
import type { Priority } from '../domain/priority.ts'
import type { RecordingHeader } from './recording.ts'

/** The version of what is said over HTTP and the WebSocket. */
export const PROTOCOL_VERSION = 1

/**
 * The feed, over a WebSocket at `api/feed`.
 *
 * The page says `hello`; the server answers with `welcome`, then with binary messages: a uint32 of the number of the first
 * block in it, then blocks as in a recording, each a uint32 of its length and its bytes; in order, none left out. The page
 * says `ack` once it has taken a message: the server has at most {@link MESSAGES_IN_FLIGHT} on the way, and gathers what
 * happens meanwhile. Exact counts come twice a second as `status`, however far the blocks are behind.
 */
export type PageMessage =
  | {
      readonly type: 'hello'
      readonly protocol: number
      /** Goes on after a lost connection: the recording, and the number of the block that comes next. */
      readonly resume?: { readonly recording: string; readonly block: number }
    }
  /** The message whose first block has this number has been taken. */
  | { readonly type: 'ack'; readonly block: number }
  /** Whether anybody can see the page: while not, nothing is sent. */
  | { readonly type: 'visible'; readonly isVisible: boolean }

export const MESSAGES_IN_FLIGHT = 4
/** The longest message a page may send, in bytes. */
export const PAGE_MESSAGE_BYTES_MAX = 4_096

export type ServerMessage =
  | {
      readonly type: 'welcome'
      readonly protocol: number
      readonly recording: RecordingHeader
      /** The number of the first block that follows; 0 unless a `resume` could be followed. */
      readonly block: number
      /** Whether this page may send commands. */
      readonly canControl: boolean
      /** Whether it is a recording: then the server knows no more than its blocks tell. */
      readonly isRecorded: boolean
      /** What could not be kept from before the recording's start; absent when it is whole. */
      readonly missing?: MissingHistory
    }
  | ({ readonly type: 'status' } & FeedStatus)
  /** The history has outgrown its limit: a new recording begins, with what is alive. A `welcome` follows. */
  | { readonly type: 'renewed' }
  /** The pool is closed: no more blocks follow those that are on their way. */
  | { readonly type: 'ended' }
  /** What the page sent is refused; the connection is closed after it. */
  | { readonly type: 'refused'; readonly error: ErrorBody }

/** Jobs that ended before the recording began, and are not in it. */
export interface MissingHistory {
  readonly jobs: number
}

/** The state of things now. */
export interface FeedStatus {
  /** Epoch ms. */
  readonly at: number
  /** How many jobs are in each state, in the order of `JOB_STATES`; ended ones count for ever. */
  readonly counts: readonly number[]
  readonly busy: number
  readonly limit: number
  readonly zombies: number
  readonly lifecycle: 'accepting' | 'draining' | 'closed'
  readonly dispatch: 'open' | 'paused' | 'throttled'
  /** Jobs that ended in the last second. */
  readonly jobsPerSecond: number
  /** The number of the newest block; what lies between it and the page's last is on its way. */
  readonly block: number
  /** How many events have happened that this page has not been sent. */
  readonly eventsBehind: number
  /** Whether blocks are held back because this page, or its connection, is slow. */
  readonly isSlow: boolean
}

/** What any refused request answers. */
export interface ErrorBody {
  /** Of the error table. */
  readonly code: string
  readonly message: string
}

/** What to do; `POST api/commands`. */
export type Command =
  | { readonly type: 'pool.pause' }
  | { readonly type: 'pool.resume' }
  | { readonly type: 'pool.limit'; readonly maxParallelJobs: number }
  | {
      readonly type: 'jobs.cancel'
      readonly jobs: JobSelection
      readonly reason?: string
      readonly isPreview?: boolean
    }
  /** Runs ended jobs again, as new jobs with fresh ids. */
  | { readonly type: 'jobs.retry'; readonly jobs: JobSelection; readonly isPreview?: boolean }
  | {
      readonly type: 'jobs.prioritise'
      readonly jobs: JobSelection
      readonly priority: Priority
      readonly isPreview?: boolean
    }
  /** Sends an event to a job, the pool (`pool`) or an orchestrator (its run's id): only what it accepts now. */
  | {
      readonly type: 'actor.send'
      readonly actor: string
      readonly event: { readonly type: string; readonly [field: string]: unknown }
    }

export type CommandType = Command['type']

/** Jobs by id, or all that a filter finds. */
export type JobSelection = { readonly ids: readonly string[] } | { readonly filter: JobFilter }

/** What a command did, or with `isPreview` would do. */
export interface CommandResult {
  readonly isPreview: boolean
  /** How many jobs or actors it concerned. */
  readonly done: number
  /** The ids, at most 1,000; of retried jobs the new ones. */
  readonly ids: readonly string[]
  /** What it could not be done to, and why: a line for each reason. */
  readonly skipped: readonly SkippedJobs[]
}

export interface SkippedJobs {
  readonly why: string
  readonly count: number
  /** At most 20 of them. */
  readonly ids: readonly string[]
}

/** Finds jobs: each given field narrows. */
export interface JobFilter {
  /** Leaf states, such as `queued.ready`, or statuses, such as `queued`. */
  readonly states?: readonly string[]
  readonly kinds?: readonly string[]
  readonly priorities?: readonly Priority[]
  readonly treeId?: string
  /** Part of an id, a kind, a node's label or an error's message; capitals do not matter. */
  readonly text?: string
}

/** A page of jobs; `GET api/jobs?state=&kind=&priority=&tree=&text=&sort=&after=&limit=`. */
export interface JobPage {
  readonly jobs: readonly JobSummary[]
  /** How many there are on all pages. */
  readonly total: number
  /** How many jobs are known here at all. */
  readonly known: number
  /** Give it as `after` for the next page; absent on the last. */
  readonly next?: string
  /** Of all that the filter finds. */
  readonly facets: {
    readonly states: Readonly<Record<string, number>>
    readonly kinds: Readonly<Record<string, number>>
    readonly priorities: Readonly<Record<string, number>>
  }
}

export interface JobSummary {
  readonly id: string
  readonly state: string
  readonly status: JobStatus
  readonly kind: string
  readonly label?: string
  readonly nodeId?: string
  readonly treeId?: string
  readonly priority: Priority
  readonly score: number
  readonly attempts: number
  /** In µs since the recording's `startedAt`, as the two that follow. */
  readonly queuedAt: number
  readonly startedAt?: number
  readonly endedAt?: number
  readonly error?: string
}

/** A run in a few words; `GET api/runs` lists them. */
export interface RunSummary {
  readonly runId: string
  readonly workflow: string
  readonly strategy: string
  /** As in `RUN_STATES`. */
  readonly state: string
  /** As in `RUN_REASONS`; absent until it has ended. */
  readonly reason?: string
  readonly nodes: number
  /** In µs since the recording's `startedAt`. */
  readonly startedAt?: number
  readonly endedAt?: number
}

/** All about one job; `GET api/jobs/:id`. */
export interface JobDetail extends JobSummary {
  readonly actor: ActorDetail
  /** The actor that is the body of the running attempt, where there is one. */
  readonly body?: ActorDetail
  /** Why it is not running; absent when it is, or has ended. */
  readonly waits?: WaitReason
  readonly args: CappedValue
  readonly metadata: CappedValue
  /** Absent until it has completed. */
  readonly value?: CappedValue
  readonly failure?: {
    readonly name: string
    readonly message: string
    readonly code?: string
    readonly stack?: string
  }
  readonly reason?: string
  readonly cancelledBy?: CancelSource
  readonly causedBy?: string
  readonly dependencies: readonly { readonly id: string; readonly status?: JobStatus }[]
  readonly dependants: readonly { readonly id: string; readonly status?: JobStatus }[]
  /** How many of each there are, when the lists hold only the first 1,000. */
  readonly dependenciesTotal: number
  readonly dependantsTotal: number
  readonly policy: CappedValue
}

export type WaitReason =
  | { readonly for: 'dependencies'; readonly outstanding: number; readonly ids: readonly string[] }
  /** `position` from 1; absent when too many are ready to count. */
  | { readonly for: 'slot'; readonly position?: number; readonly ready: number }
  | { readonly for: 'instant'; readonly at: number }
  | { readonly for: 'pool'; readonly dispatch: 'paused' | 'throttled' }

/** An actor and its chart; `GET api/actors/:id`, where the pool is `pool` and an orchestrator has its run's id. */
export interface ActorDetail {
  readonly id: string
  /** The id of its machine, empty for an actor that is none; its chart is at `api/charts/<machine>`. */
  readonly machine: string
  readonly value: unknown
  readonly status: string
  readonly tags: readonly string[]
  readonly context: CappedValue
  /** Event types that a page may send it now. */
  readonly accepts: readonly string[]
  /** The ids of its active states, outermost first; empty for an actor that is no machine. */
  readonly active: readonly string[]
  /** Of a job, the actor that is the body of its running attempt. */
  readonly body?: ActorDetail
}

/** A value as JSON text, cut to a size. */
export interface CappedValue {
  /** JSON, unless it was cut: then its beginning. */
  readonly text: string
  /** The length it has uncut; `GET …?full=1` gives up to 1 MiB. */
  readonly length: number
  readonly isCut: boolean
}
