import type { Execute, HandlerContext, JobUsage, OutputStream, Transferable } from '../domain/job.ts'

/**
 * How attempts run: the port behind `executorType`.
 *
 * The pool calls {@link start} once an attempt; the executor answers with exactly one of the {@link AttemptSink}'s
 * verbs that end it, at once or later. Only that frees the attempt's slot.
 */
export interface Executor {
  /** What `executor` of a job names it by. */
  readonly name: string
  /** What it can do; a job that asks for more is refused when it is submitted. */
  readonly supports: ExecutorSupports
  /** What this executor takes as `execute`, as words for an error text; absent: it takes the given value. */
  refuses(execute: Execute): string | undefined
  /** Starts an attempt; must not throw. */
  start(attempt: Attempt, sink: AttemptSink): void
  /**
   * Asks an attempt to end; its `signal` is aborted already.
   *
   * An executor with `forcedStop` ends it by force once `killGraceMs` is over, and reports the end to the sink.
   */
  stop?(attempt: Attempt, killGraceMs: number): void
  /**
   * Hands on an event that was sent to the job and is none of its chart's; only with `events`.
   *
   * @returns Whether somebody has taken it.
   */
  deliver?(attempt: Attempt, event: object): boolean
  /** The actor that is the attempt's body, an XState `ActorRef`; absent when it is none, or has ended. */
  body?(attempt: Attempt): unknown
  /**
   * Ends what the executor holds, such as idle threads and processes; called once, when its pool has shut down.
   *
   * An attempt that still runs by then is a zombie: it is ended by force where that is possible.
   */
  close?(): Promise<void>
}

/** What an executor can do; what is absent, it cannot. */
export interface ExecutorSupports {
  /** Runs functions of this process. */
  readonly closures?: boolean
  /** Runs `{ module, export }`. */
  readonly modules?: boolean
  /**
   * How arguments and results travel: `references` as they are (the default), `clones` by structured clone, `json` as text.
   *
   * What cannot travel so is rejected, with the path of the offending value.
   */
  readonly carries?: 'references' | 'clones' | 'json'
  /** Moves the buffers in a job's `transfer` instead of copying them. */
  readonly transfer?: boolean
  /** Ends an attempt that takes more memory than its `memoryLimitBytes`. */
  readonly memoryLimit?: boolean
  /** Ends an attempt that ignores its signal. */
  readonly forcedStop?: boolean
  /** Hands on the handler's own words: `progress` and `log`. */
  readonly context?: boolean
  /** Captures what an attempt writes to stdout and stderr. */
  readonly output?: boolean
  /** Measures CPU time and memory of each attempt. */
  readonly usage?: boolean
  /** Takes events while an attempt runs. */
  readonly events?: boolean
}

/** One try of a job, as its executor and its handler see it. */
export interface Attempt extends HandlerContext {
  readonly execute: Execute
  readonly args: readonly unknown[]
  /** The job's own limit, or else the pool's; an executor without `memoryLimit` ignores it. */
  readonly memoryLimitBytes: number | undefined
  /** What the job asks to be moved. */
  readonly transfer: readonly Transferable[]
  /** The job itself, an XState `ActorRef`: where a body that is an actor belongs. */
  readonly actor: unknown
}

/** Where an executor reports how an attempt ended, and what it wrote until then. */
export interface AttemptSink {
  completed(attempt: Attempt, value: unknown, usage?: JobUsage): void
  /** `thrown` is whatever the handler threw. */
  failed(attempt: Attempt, thrown: unknown, usage?: JobUsage): void
  /**
   * What ran the attempt went away without a result.
   *
   * @param how - What is known of it, as a clause for an error text, such as "its thread exited with code 1".
   */
  lost(attempt: Attempt, how?: string, usage?: JobUsage): void
  /** The executor cannot carry this attempt or its result, and trying again would not help. */
  rejected(attempt: Attempt, thrown: unknown, usage?: JobUsage): void
  /**
   * The attempt wrote to a standard stream.
   *
   * @returns `false` once the stream has reached its cap: no more is wanted.
   */
  output(attempt: Attempt, stream: OutputStream, chunk: string): boolean
}
