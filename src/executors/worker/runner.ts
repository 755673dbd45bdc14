import { AsyncLocalStorage } from 'node:async_hooks'
import { EspalierError, isEspalierError } from '../../domain/errors.ts'
import type { Closure, JobUsage, Transferable } from '../../domain/job.ts'
import { type Carrier, cannotCarry, cannotSend, findUncarriable } from '../carrying.ts'
import { packError, unpackError } from '../packed-error.ts'
import { WorkerContext } from './context.ts'
import { guardExit } from './exit.ts'
import { Handlers } from './handlers.ts'
import type { Abort, Ending, Outcome, Task, Word } from './messages.ts'

/** How a thread or process measures itself. */
export interface Gauge {
  /** What was taken since the attempt began. */
  end(isLimited: boolean): Measured
}

interface Measured {
  readonly usage: JobUsage
  /** How much memory was held at most, as far as a limit counts it. */
  readonly heldBytes: number
}

export interface RunnerOptions {
  /** By what values travel. */
  readonly carrier: Carrier
  readonly gauge: Gauge
  /** Hands on what attempt `number` says. */
  say(number: number, word: Word): void
  /**
   * Hands on how the attempt ended: after this, another may begin.
   *
   * @param moved - What of its value is to be moved instead of copied.
   */
  end(outcome: Outcome, moved: readonly Transferable[]): void
  /** Ends this thread or process, once all that was said has left it. */
  exit(code: number): void
  /** Tells that this thread or process will end after its next attempt, if it gets one. */
  retire(): void
  /** Whether an attempt has left something running that can only end with this thread or process. */
  hasLeftovers?(): boolean
}

/** A thread or process that still holds more than this share of its limit is not fit for another attempt. */
const FIT_SHARE = 0.5
const CRASHES = ['unhandledRejection', 'uncaughtException'] as const

/** Runs attempts in a thread or process, one at a time. */
export class Runner {
  readonly #options: RunnerOptions
  readonly #handlers = new Handlers()
  readonly #owner = new AsyncLocalStorage<number>()
  #number = 0
  #context: WorkerContext | undefined
  #isUnfit = false

  constructor(options: RunnerOptions) {
    this.#options = options
    for (const name of CRASHES) process.on(name, this.#crash)
    guardExit(() => {
      if (this.#isOfAttempt()) return true
      this.#retire()
      return false
    })
  }

  /** The attempt that runs; absent between attempts. */
  get context(): WorkerContext | undefined {
    return this.#context
  }

  async run(task: Task): Promise<void> {
    const { number } = task
    const context = new WorkerContext(task, (word) => this.#options.say(number, word))
    this.#number = number
    this.#context = context
    try {
      const ending = await this.#owner.run(number, () => this.#endOf(task, context))
      const { memoryLimitBytes: limit } = task
      const { heldBytes, usage } = this.#options.gauge.end(limit !== undefined)
      context.hasEnded = true
      this.#context = undefined
      const outcome: Outcome = { ...this.#judge(task, ending, heldBytes), usage }
      this.#isUnfit ||= limit !== undefined && heldBytes > limit * FIT_SHARE
      if (this.#isUnfit || !this.#isListening() || this.#options.hasLeftovers?.() === true) {
        this.#leave(number, outcome)
      } else this.#handOn(task, outcome, context.moved)
    } catch (thrown) {
      // The handler has broken what this is made of, such as a global or a method of all arrays.
      this.#options.say(number, { kind: 'crash', error: packError(thrown) })
      this.#options.exit(1)
    }
  }

  abort({ number, reason }: Abort): void {
    if (number === this.#number) this.#context?.abort(unpackError(reason))
  }

  #handOn({ number, jobId }: Task, outcome: Outcome, moved: readonly Transferable[]): void {
    try {
      this.#options.end(outcome, outcome.verb === 'completed' ? moved : [])
    } catch (thrown) {
      // Such as a buffer to be moved that has gone already; or the handler has broken what all results are sent by.
      const error = packError(cannotSend(jobId, 'its result', thrown))
      this.#leave(number, { verb: 'rejected', error, usage: outcome.usage })
    }
  }

  /** Ends this thread or process with its attempt. */
  #leave(number: number, outcome: Outcome): void {
    this.#options.say(number, { kind: 'last', outcome })
    this.#options.exit(0)
  }

  async #endOf(task: Task, context: WorkerContext): Promise<Ending> {
    let handler: Closure
    try {
      handler = this.#handlers.known(task) ?? (await this.#handlers.load(task))
    } catch (thrown) {
      const isRejected = isEspalierError(thrown, 'ESP_UNUSABLE_MODULE')
      // Node remembers that loading failed: only a fresh thread or process can try again.
      this.#isUnfit ||= !isRejected
      return { verb: isRejected ? 'rejected' : 'failed', error: packError(thrown) }
    }
    try {
      const { args } = task
      return {
        verb: 'completed',
        value: await (args === undefined ? handler(context) : handler(...args, context)),
      }
    } catch (thrown) {
      return { verb: 'failed', error: packError(thrown) }
    }
  }

  /** A value that cannot travel is no success, and neither is one that took too much memory to make. */
  #judge({ jobId, attempt, memoryLimitBytes: limitBytes }: Task, ending: Ending, seenBytes: number): Ending {
    if (limitBytes !== undefined && seenBytes > limitBytes) {
      const error = new EspalierError('ESP_MEMORY_LIMIT', { jobId, attempt, limitBytes, seenBytes })
      return { verb: 'failed', error: packError(error) }
    }
    const found =
      ending.verb === 'completed' ? findUncarriable(ending.value, 'result', this.#options.carrier) : undefined
    if (found === undefined) return ending
    return { verb: 'rejected', error: packError(cannotCarry(jobId, 'its result', found)) }
  }

  /** Nobody caught this. It ends the attempt it belongs to; when that is over, nobody else is to suffer for it. */
  readonly #crash = (thrown: unknown): void => {
    if (!this.#isOfAttempt()) {
      this.#retire()
      if (this.#isOwn()) this.#options.exit(1)
      return
    }
    this.#options.say(this.#number, { kind: 'crash', error: packError(thrown) })
    this.#options.exit(1)
  }

  /** Whether the code that runs belongs to the attempt that runs, and is not what an ended one has left. */
  #isOfAttempt(): boolean {
    return this.#context !== undefined && (this.#owner.getStore() ?? this.#number) === this.#number
  }

  /** Whether the code that runs is of no handler, so that it is what takes attempts that has failed: the next would never begin. */
  #isOwn(): boolean {
    return this.#context === undefined && this.#owner.getStore() === undefined
  }

  /** What is left of an ended attempt has failed or wants to exit: it does so with this thread or process, and not before. */
  #retire(): void {
    this.#isUnfit = true
    this.#options.retire()
  }

  /** Whether what nobody catches is still heard of here: handlers may remove all listeners. */
  #isListening(): boolean {
    return CRASHES.every((name) => process.listenerCount(name, this.#crash) > 0)
  }
}
