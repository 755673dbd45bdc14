import { Fifo } from '../domain/fifo.ts'
import type { JobId, JobResult, JobStatus } from '../domain/job.ts'

/** What happens in a pool, by name. Every `at` is epoch ms. */
export interface PoolEventMap {
  'job.submitted': JobFact
  'job.started': JobFact & { readonly attempt: number }
  'job.retrying': JobFact & { readonly attempt: number; readonly retryAt: number }
  'job.progress': JobFact & { readonly attempt: number; readonly fraction: number; readonly note: string | undefined }
  'job.log': JobFact & { readonly attempt: number; readonly line: string }
  'job.completed': JobFact & { readonly result: JobResult }
  'job.failed': JobFact & { readonly result: JobResult }
  'job.cancelled': JobFact & { readonly result: JobResult }
  /** An attempt ignored its signal for longer than `killGraceMs`: it runs on, and keeps its slot. */
  'job.zombie': JobFact & { readonly attempt: number }
  /** An event reached the job and changed nothing. */
  'job.ignored': JobFact & { readonly event: string; readonly status: JobStatus }
  'pool.paused': PoolFact
  'pool.resumed': PoolFact
  'pool.throttled': PoolFact
  'pool.limited': PoolFact & { readonly maxParallelJobs: number }
  'pool.closed': PoolFact
}

interface PoolFact {
  readonly at: number
}

interface JobFact extends PoolFact {
  readonly jobId: JobId
  readonly nodeId: string | undefined
  readonly treeId: string | undefined
}

export type PoolEventType = keyof PoolEventMap

/** One event of the stream, told apart by `type`. */
export type PoolEventOf<Type extends PoolEventType> = { readonly type: Type } & PoolEventMap[Type]
export type PoolStreamEvent = { [Type in PoolEventType]: PoolEventOf<Type> }[PoolEventType]

export type PoolListener<Type extends PoolEventType> = (event: PoolEventOf<Type>) => unknown

/** How many events wait for a slow reader of {@link EventHub.stream} before the oldest are dropped. */
const STREAM_EVENTS_MAX = 100_000

/** Hands events to whoever listens; costs nearly nothing while nobody does. */
export class EventHub {
  readonly #listeners = new Map<string, Set<(event: PoolStreamEvent) => unknown>>()
  readonly #reportFault: (thrown: unknown, type: string) => void
  #isClosed = false
  readonly #streams = new Set<EventStream>()

  /** @param reportFault - Told what a listener threw; the other listeners are not affected. */
  constructor(reportFault: (thrown: unknown, type: string) => void) {
    this.#reportFault = reportFault
  }

  /** Whether anybody listens to an event of this type: else it need not be made. */
  hasListeners(type: PoolEventType): boolean {
    return this.#streams.size > 0 || this.#listeners.has(type) || this.#listeners.has('*')
  }

  emit(event: PoolStreamEvent): void {
    for (const stream of this.#streams) stream.push(event)
    this.#tell(this.#listeners.get(event.type), event)
    this.#tell(this.#listeners.get('*'), event)
  }

  /** @returns A function that stops listening. */
  on(type: string, listener: (event: PoolStreamEvent) => unknown): () => void {
    const listeners = this.#listeners.get(type) ?? new Set()
    this.#listeners.set(type, listeners)
    // A wrapper of its own: the same listener given twice is called twice.
    const wrapper = (event: PoolStreamEvent) => listener(event)
    listeners.add(wrapper)
    return () => {
      listeners.delete(wrapper)
      if (listeners.size === 0 && this.#listeners.get(type) === listeners) this.#listeners.delete(type)
    }
  }

  /** All events from now on, until the pool is closed or the reader stops. */
  stream(): AsyncIterableIterator<PoolStreamEvent> & { readonly dropped: number } {
    const stream = new EventStream(() => this.#streams.delete(stream))
    if (this.#isClosed) stream.end()
    else this.#streams.add(stream)
    return stream
  }

  /** Ends the streams after what they still hold. */
  close(): void {
    this.#isClosed = true
    for (const stream of this.#streams) stream.end()
    this.#streams.clear()
  }

  #tell(listeners: Set<(event: PoolStreamEvent) => unknown> | undefined, event: PoolStreamEvent): void {
    if (listeners === undefined) return
    for (const listener of listeners) {
      try {
        const returned = listener(event)
        if (returned instanceof Promise) returned.catch((thrown) => this.#reportFault(thrown, event.type))
      } catch (thrown) {
        this.#reportFault(thrown, event.type)
      }
    }
  }
}

/** Events on their way to one reader. */
class EventStream implements AsyncIterableIterator<PoolStreamEvent> {
  /** How many events were dropped because the reader was too slow. */
  dropped = 0
  readonly #events = new Fifo<PoolStreamEvent>()
  readonly #readers = new Fifo<(result: IteratorResult<PoolStreamEvent>) => void>()
  readonly #onReturn: () => void
  #hasEnded = false

  constructor(onReturn: () => void) {
    this.#onReturn = onReturn
  }

  push(event: PoolStreamEvent): void {
    const reader = this.#readers.shift()
    if (reader !== undefined) {
      reader({ done: false, value: event })
      return
    }
    if (this.#events.size === STREAM_EVENTS_MAX) {
      this.#events.shift()
      this.dropped++
    }
    this.#events.push(event)
  }

  end(): void {
    this.#hasEnded = true
    for (const reader of this.#readers) reader({ done: true, value: undefined })
    this.#readers.clear()
  }

  next(): Promise<IteratorResult<PoolStreamEvent>> {
    const event = this.#events.shift()
    if (event !== undefined) return Promise.resolve({ done: false, value: event })
    if (this.#hasEnded) return Promise.resolve({ done: true, value: undefined })
    return new Promise((resolve) => this.#readers.push(resolve))
  }

  return(): Promise<IteratorResult<PoolStreamEvent>> {
    this.#onReturn()
    this.#events.clear()
    this.end()
    return Promise.resolve({ done: true, value: undefined })
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
