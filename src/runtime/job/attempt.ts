import { NOTE_LENGTH_MAX, PROGRESS_COUNT_MAX, TextCap, textOf } from '../../domain/caps.ts'
import type { Execute, JobId, OutputStream, Transferable } from '../../domain/job.ts'
import type { Attempt } from '../../ports/executor.ts'

/** What an attempt knows of its job. */
export interface AttemptedJob {
  readonly id: JobId
  readonly nodeId: string | undefined
  readonly treeId: string | undefined
  readonly execute: Execute
  readonly args: readonly unknown[]
  readonly memoryLimitBytes: number | undefined
  readonly transfer: readonly Transferable[]
  /** The values of its completed dependencies, by node id or else job id. */
  dependencyValues(): Record<string, unknown>
}

/** Where an attempt's words about itself go. */
export interface AttemptListener {
  progressed(attempt: RunningAttempt, fraction: number, note: string | undefined, truncated: boolean): void
  logged(attempt: RunningAttempt, line: string, truncated: boolean): void
}

/** How much an attempt has said. */
class Said {
  progressCount = 0
  readonly log = new TextCap()
  readonly stdout = new TextCap()
  readonly stderr = new TextCap()
}

/**
 * One attempt of a job while it runs, and the context its handler sees: nothing of it can be assigned to from there.
 *
 * What most handlers never touch is made on first use.
 */
export class RunningAttempt<Job extends AttemptedJob = AttemptedJob> implements Attempt {
  readonly #job: Job
  readonly #attempt: number
  readonly #startedAt: number
  readonly #slot: number
  #endedAt: number | undefined
  readonly #listener: AttemptListener
  #controller: AbortController | undefined
  #parentResults: Record<string, unknown> | undefined
  #said: Said | undefined

  constructor(job: Job, attempt: number, startedAt: number, slot: number, listener: AttemptListener) {
    this.#job = job
    this.#attempt = attempt
    this.#startedAt = startedAt
    this.#slot = slot
    this.#listener = listener
  }

  get job(): Job {
    return this.#job
  }

  get attempt(): number {
    return this.#attempt
  }

  get startedAt(): number {
    return this.#startedAt
  }

  /** The slot it holds, from 0. */
  get slot(): number {
    return this.#slot
  }

  /** When its executor confirmed the end; only then its slot is free. */
  get endedAt(): number | undefined {
    return this.#endedAt
  }

  get hasEnded(): boolean {
    return this.#endedAt !== undefined
  }

  get jobId(): JobId {
    return this.#job.id
  }

  get nodeId(): string | undefined {
    return this.#job.nodeId
  }

  get treeId(): string | undefined {
    return this.#job.treeId
  }

  get execute(): Execute {
    return this.#job.execute
  }

  get args(): readonly unknown[] {
    return this.#job.args
  }

  get memoryLimitBytes(): number | undefined {
    return this.#job.memoryLimitBytes
  }

  get actor(): Job {
    return this.#job
  }

  get transfer(): readonly Transferable[] {
    return this.#job.transfer
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    return this.#controller.signal
  }

  get parentResults(): Readonly<Record<string, unknown>> {
    this.#parentResults ??= this.#job.dependencyValues()
    return this.#parentResults
  }

  /**
   * A function of its own, so that a handler may take it out of its context.
   *
   * What handlers say passes here and at `log` with every executor; neither throws, whatever that is.
   */
  get progress(): (fraction: number, note?: string) => void {
    return (fraction, note) => {
      if (this.hasEnded || !Number.isFinite(fraction)) return
      this.#said ??= new Said()
      const more = ++this.#said.progressCount - PROGRESS_COUNT_MAX
      if (more > 1) return
      const inRange = Math.min(Math.max(fraction, 0), 1)
      const cut = note === undefined ? undefined : textOf(note).slice(0, NOTE_LENGTH_MAX)
      this.#listener.progressed(this, inRange, cut, more === 1)
    }
  }

  get log(): (line: string) => void {
    return (line) => {
      this.#said ??= new Said()
      const cap = this.#said.log
      if (this.hasEnded || cap.isTruncated) return
      const passing = cap.take(textOf(line))
      this.#listener.logged(this, passing, cap.isTruncated)
    }
  }

  /** Without effect: what runs in a thread of its own has another context, in that thread. */
  get move(): (what: readonly Transferable[]) => void {
    return moveNothing
  }

  /** What has been written so far to a standard stream, against its cap. */
  output(stream: OutputStream): TextCap {
    this.#said ??= new Said()
    return this.#said[stream]
  }

  /** Its executor has confirmed the end. */
  end(at: number): void {
    this.#endedAt = at
  }

  /** Aborts the handler's signal. */
  abort(reason: unknown): void {
    this.#controller ??= new AbortController()
    this.#controller.abort(reason)
  }
}

const moveNothing = (): void => {}
