import type { Execute, HandlerContext } from '../domain/job.ts'

/**
 * How attempts run: the port behind `executorType`.
 *
 * The pool calls {@link start} once an attempt; the executor answers with exactly one of the {@link AttemptSink}'s
 * verbs, at once or later. Only that frees the attempt's slot.
 */
export interface Executor {
  /** What `executor` of a job names it by. */
  readonly name: string
  /** What this executor takes as `execute`, as words for an error text; absent: it takes the given value. */
  refuses(execute: Execute): string | undefined
  /** Starts an attempt; must not throw. */
  start(attempt: Attempt, sink: AttemptSink): void
  /**
   * Asks an attempt to end; its `signal` is aborted already.
   *
   * An executor that can end it by force does so before `killGraceMs` is over, and reports the end to the sink.
   */
  stop?(attempt: Attempt): void
}

/** One try of a job, as its executor and its handler see it. */
export interface Attempt extends HandlerContext {
  readonly execute: Execute
  readonly args: readonly unknown[]
}

/** Where an executor reports how an attempt ended. */
export interface AttemptSink {
  completed(attempt: Attempt, value: unknown): void
  /** `thrown` is whatever the handler threw. */
  failed(attempt: Attempt, thrown: unknown): void
  /** What ran the attempt went away without a result. */
  lost(attempt: Attempt): void
  /** The executor cannot carry this attempt, and trying again would not help. */
  rejected(attempt: Attempt, thrown: unknown): void
}
