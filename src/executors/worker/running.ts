import { EspalierError } from '../../domain/errors.ts'
import type { JobUsage } from '../../domain/job.ts'
import { LONGEST_TIMER_MS } from '../../domain/timer.ts'
import type { Attempt, AttemptSink } from '../../ports/executor.ts'
import { type PackedError, unpackError } from '../packed-error.ts'
import { reportStopped } from '../stopped.ts'
import type { Outcome, Word } from './messages.ts'

/** Why an attempt's thread or process was ended by force. */
export type Force = 'stopped' | 'memory'

/** An attempt in a thread or process, seen from the pool: what it has said, and how it ended. */
export class RunningTask {
  readonly number: number
  readonly attempt: Attempt
  /** Absent while nobody has asked it to end. */
  timer: NodeJS.Timeout | undefined
  readonly #sink: AttemptSink
  #force: Force | undefined
  #seenBytes: number | undefined
  #crash: PackedError | undefined
  #last: Outcome | undefined
  #peakMemoryBytes: number | undefined

  constructor(number: number, attempt: Attempt, sink: AttemptSink) {
    this.number = number
    this.attempt = attempt
    this.#sink = sink
  }

  hear(word: Word): void {
    switch (word.kind) {
      case 'progress':
        this.attempt.progress(word.fraction, word.note)
        return
      case 'log':
        this.attempt.log(word.line)
        return
      case 'output':
        this.#sink.output(this.attempt, word.stream, word.chunk)
        return
      case 'crash':
        this.#crash ??= word.error
        return
      case 'last':
        this.#last = word.outcome
        return
    }
  }

  /**
   * Its thread or process is about to be ended, for this reason.
   *
   * @param seenBytes - How much memory it was seen to hold, as far as a limit counts it.
   */
  force(reason: Force, seenBytes?: number): void {
    this.#force ??= reason
    this.#seenBytes = seenBytes
  }

  /** Notes how much memory it was seen to hold. */
  seen(bytes: number): void {
    this.#peakMemoryBytes = Math.max(this.#peakMemoryBytes ?? 0, bytes)
  }

  /** Reports how it ended, in its own words. */
  report(outcome: Outcome): void {
    clearTimeout(this.timer)
    const usage = this.#usage(outcome.usage)
    if (outcome.verb === 'completed') this.#sink.completed(this.attempt, outcome.value, usage)
    else this.#sink[outcome.verb](this.attempt, unpackError(outcome.error), usage)
  }

  /** Reports that it cannot be carried. */
  reject(error: Error): void {
    clearTimeout(this.timer)
    this.#sink.rejected(this.attempt, error)
  }

  /**
   * Reports how it ended when its thread or process has: in its last words, if it had some.
   *
   * @param how - A clause for an error text.
   * @param isOutOfMemory - Whether V8 said that there was no memory left.
   */
  reportEnd(how: string, isOutOfMemory = false): void {
    if (this.#last !== undefined) {
      this.report(this.#last)
      return
    }
    clearTimeout(this.timer)
    const { attempt } = this
    const { memoryLimitBytes: limitBytes, jobId } = attempt
    const usage = this.#usage(undefined)
    const isOverLimit = this.#force === 'memory' || (isOutOfMemory && this.#force === undefined)
    if (isOverLimit && limitBytes !== undefined) {
      const details = {
        jobId,
        attempt: attempt.attempt,
        limitBytes,
        seenBytes: this.#seenBytes ?? limitBytes,
      }
      this.#sink.failed(attempt, new EspalierError('ESP_MEMORY_LIMIT', details), usage)
    } else if (isOverLimit) this.#sink.lost(attempt, OUT_OF_MEMORY, usage)
    else if (this.#force === 'stopped') reportStopped(attempt, this.#sink, usage)
    else if (this.#crash !== undefined) this.#sink.failed(attempt, unpackError(this.#crash), usage)
    else this.#sink.lost(attempt, how, usage)
  }

  #usage(measured: JobUsage | undefined): JobUsage | undefined {
    const seen = this.#peakMemoryBytes
    if (seen === undefined) return measured
    return { ...measured, peakMemoryBytes: Math.max(measured?.peakMemoryBytes ?? 0, seen) }
  }
}

/** Calls `act` once an attempt that was asked to end has had its grace. */
export function afterGrace(killGraceMs: number, act: () => void): NodeJS.Timeout {
  return setTimeout(act, Math.min(killGraceMs, LONGEST_TIMER_MS))
}

/** How an attempt was lost that no limit of its own has ended. */
export const OUT_OF_MEMORY = 'it took all the memory there was for it'
