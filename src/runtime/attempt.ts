import type { Execute, JobId } from '../domain/job.ts'
import type { Attempt } from '../ports/executor.ts'

/** What an attempt knows of its job. */
export interface AttemptedJob {
  readonly id: JobId
  readonly nodeId: string | undefined
  readonly treeId: string | undefined
  readonly execute: Execute
  readonly args: readonly unknown[]
  /** The values of its completed dependencies, by node id or else job id. */
  dependencyValues(): Record<string, unknown>
}

/** Where an attempt's words about itself go. */
export interface AttemptListener {
  progressed(attempt: RunningAttempt, fraction: number, note: string | undefined): void
  logged(attempt: RunningAttempt, line: string): void
}

/**
 * One attempt of a job while it runs, and the context its handler sees.
 *
 * What most handlers never touch is made on first use.
 */
export class RunningAttempt<Job extends AttemptedJob = AttemptedJob> implements Attempt {
  readonly job: Job
  readonly attempt: number
  readonly startedAt: number
  /** The slot it holds, from 0. */
  readonly slot: number
  /** When its executor confirmed the end; only then its slot is free. */
  endedAt: number | undefined = undefined
  readonly #listener: AttemptListener
  #controller: AbortController | undefined
  #parentResults: Record<string, unknown> | undefined

  constructor(job: Job, attempt: number, startedAt: number, slot: number, listener: AttemptListener) {
    this.job = job
    this.attempt = attempt
    this.startedAt = startedAt
    this.slot = slot
    this.#listener = listener
  }

  get hasEnded(): boolean {
    return this.endedAt !== undefined
  }

  get jobId(): JobId {
    return this.job.id
  }

  get nodeId(): string | undefined {
    return this.job.nodeId
  }

  get treeId(): string | undefined {
    return this.job.treeId
  }

  get execute(): Execute {
    return this.job.execute
  }

  get args(): readonly unknown[] {
    return this.job.args
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    return this.#controller.signal
  }

  get parentResults(): Readonly<Record<string, unknown>> {
    this.#parentResults ??= this.job.dependencyValues()
    return this.#parentResults
  }

  /** A function of its own, so that a handler may take it out of its context. */
  get progress(): (fraction: number, note?: string) => void {
    return (fraction, note) => {
      if (!this.hasEnded) this.#listener.progressed(this, fraction, note)
    }
  }

  get log(): (line: string) => void {
    return (line) => {
      if (!this.hasEnded) this.#listener.logged(this, line)
    }
  }

  /** Aborts the handler's signal. */
  abort(reason: unknown): void {
    this.#controller ??= new AbortController()
    this.#controller.abort(reason)
  }
}
