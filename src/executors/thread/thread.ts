import { MessageChannel, type MessagePort, receiveMessageOnPort, type Worker } from 'node:worker_threads'
import { Piscina } from 'piscina'
import { present } from '../../domain/present.ts'
import type { Abort, TaskMessage } from '../worker/messages.ts'
import { PooledWorker, type WorkerListener } from '../worker/pooled-worker.ts'
import { type Report, type ReportMessage, toReport } from '../worker/report.ts'
import { OUT_OF_MEMORY, type RunningTask } from '../worker/running.ts'
import { FROM_THREAD, type Line, post, TO_THREAD } from './line.ts'

export interface ThreadOptions {
  /** What the thread begins with. */
  readonly file: string
  readonly env?: NodeJS.ProcessEnv
  readonly execArgv?: readonly string[]
  /** The event loop has brought a message of the thread, which by now has its next attempt or has not. */
  onTurn(isFollowed: boolean): void
}

/** A thread with a fuller heap is ended before V8 does it, which would end the whole process at times. */
const HEAP_SHARE_MAX = 0.9

/**
 * A thread of the `thread` executor, seen from outside.
 *
 * Piscina makes it, as a pool of one, and brings it a port; by that port come attempts and go their words and ends. So
 * an attempt can be asked to end, and has a thread before it is handed over, which tasks of Piscina's have not.
 */
export class Thread extends PooledWorker {
  readonly exited: Promise<void>
  readonly #piscina: Piscina
  readonly #worker: Worker
  readonly #port: MessagePort
  readonly #line: Line
  /** How many messages of it were heard. */
  #heard = 0
  /** What nobody caught in it. */
  #error: (Error & { readonly code?: string }) | undefined
  /** Whether it was asked how much memory it holds, and has not answered. */
  #isAsked = false

  constructor(memoryLimitBytes: number | undefined, options: ThreadOptions, listener: WorkerListener) {
    super(memoryLimitBytes, listener)
    this.#piscina = createPiscina(memoryLimitBytes, options)
    const { port1, port2 } = new MessageChannel()
    // What becomes of it, the thread's own events tell.
    const counts = new Int32Array(new SharedArrayBuffer(8))
    this.#piscina.run({ port: port2, counts } satisfies Line, { transferList: [port2] }).catch(ignore)
    this.#piscina.on('error', ignore)
    this.#worker = this.#piscina.threads[0] as Worker
    this.#port = port1
    this.#line = { port: port1, counts }
    port1.on('message', (report: ReportMessage) => {
      this.#take(report)
      options.onTurn(this.running !== undefined)
    })
    port1.on('messageerror', (error) => this.garbled('its result', error))
    port1.unref()
    this.#worker.once('error', (error) => {
      this.#error = error as Error
    })
    this.exited = new Promise((resolve) => {
      this.#worker.once('exit', (code) => resolve(this.#ended(code)))
    })
  }

  look(): void {
    if (this.running !== undefined && !this.#isAsked) void this.#measure(this.running)
  }

  /** Takes in a message that the event loop has not brought yet, if there is one. */
  hearNext(): boolean {
    if (Atomics.load(this.#line.counts, FROM_THREAD) === this.#heard) return false
    return this.#takeNext()
  }

  async close(): Promise<void> {
    this.running?.force('stopped')
    this.kill()
    await this.exited
  }

  protected override hand(message: TaskMessage | Abort, moved: readonly object[]): void {
    post(this.#line, TO_THREAD, message, moved)
  }

  protected override ref(): void {
    this.#port.ref()
  }

  protected override unref(): void {
    this.#port.unref()
  }

  protected override kill(): void {
    this.retire()
    void this.#worker.terminate()
  }

  protected override onEnded({ outcome }: Extract<Report, { kind: 'ended' }>): void {
    this.finish(outcome)
  }

  #takeNext(): boolean {
    let next: { readonly message: ReportMessage } | undefined
    try {
      next = receiveMessageOnPort(this.#port)
    } catch (thrown) {
      this.garbled('its result', thrown)
      return false
    }
    if (next !== undefined) this.#take(next.message)
    return next !== undefined
  }

  #take(message: ReportMessage): void {
    this.#heard = (this.#heard + 1) | 0
    this.hear(toReport(message))
  }

  async #ended(code: number): Promise<void> {
    this.retire()
    // What it has said last, without waiting for the event loop to bring it.
    while (this.#takeNext()) {}
    this.#port.close()
    const isOutOfMemory = this.#error?.code === 'ERR_WORKER_OUT_OF_MEMORY'
    this.gone(isOutOfMemory ? OUT_OF_MEMORY : this.#howItEnded(code), isOutOfMemory)
    await this.#piscina.destroy()
  }

  #howItEnded(code: number): string {
    if (this.ownBytes !== undefined) return `its thread exited with code ${code} before it had a result`
    const why = this.#error === undefined ? '' : `: ${this.#error.message}`
    return `its thread ended before it was ready${why}`
  }

  async #measure(running: RunningTask): Promise<void> {
    this.#isAsked = true
    try {
      const statistics = await this.#worker.getHeapStatistics()
      if (this.running !== running) return
      const { used_heap_size: heap, external_memory: external, heap_size_limit: heapLimit } = statistics
      running.seen(heap + external)
      const { memoryLimitBytes: limit, ownBytes } = this
      if (ownBytes === undefined) return
      const seenBytes = heap + external - ownBytes
      const isOver = limit !== undefined && seenBytes > limit
      if (isOver || heap > heapLimit * HEAP_SHARE_MAX) this.force(running, 'memory', seenBytes)
    } catch {
      // The thread has ended meanwhile.
    } finally {
      this.#isAsked = false
    }
  }
}

function createPiscina(limitBytes: number | undefined, { file, env, execArgv }: ThreadOptions): Piscina {
  return new Piscina({
    filename: file,
    name: 'serve',
    minThreads: 0,
    maxThreads: 1,
    idleTimeout: Number.POSITIVE_INFINITY,
    // The thread is to hear its port: Piscina's own way of waiting would keep its event loop from turning.
    atomics: 'disabled',
    recordTiming: false,
    ...(limitBytes === undefined ? {} : { resourceLimits: heapLimits(limitBytes) }),
    ...(env === undefined ? {} : { env: present(env) }),
    ...(execArgv === undefined ? {} : { execArgv: [...execArgv] }),
  })
}

const MIB = 2 ** 20

/**
 * V8's own limit, as a last resort well above the job's: a thread that reaches it ends the whole process, unless each of
 * its allocations is small, which a small young generation makes more likely.
 */
function heapLimits(limitBytes: number): {
  maxOldGenerationSizeMb: number
  maxYoungGenerationSizeMb: number
} {
  return { maxOldGenerationSizeMb: Math.ceil((2 * limitBytes) / MIB) + 256, maxYoungGenerationSizeMb: 8 }
}

const ignore = (): void => {}
