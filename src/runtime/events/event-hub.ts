import { EspalierError } from '../../domain/errors.ts'
import { Fifo } from '../../domain/fifo.ts'
import { nearestName } from '../../domain/suggest.ts'

/** How many events wait for a slow reader of {@link EventHub.stream} before the oldest are dropped. */
const STREAM_EVENTS_MAX = 100_000

/** Hands events to whoever listens; costs nearly nothing while nobody does. */
export class EventHub<Event extends { readonly type: string }> {
  readonly #listeners = new Map<string, Set<(event: Event) => unknown>>()
  readonly #types: ReadonlySet<string>
  readonly #reportFault: (thrown: unknown, type: string) => void
  #isClosed = false
  readonly #streams = new Set<EventStream<Event>>()

  /**
   * @param types - All types of events that there are.
   * @param reportFault - Told what a listener threw; the other listeners are not affected.
   */
  constructor(types: ReadonlySet<string>, reportFault: (thrown: unknown, type: string) => void) {
    this.#types = types
    this.#reportFault = reportFault
  }

  /** Whether anybody listens to an event of this type: else it need not be made. */
  hasListeners(type: Event['type']): boolean {
    if (this.#listeners.size === 0) return this.#streams.size > 0
    return this.#streams.size > 0 || this.#listeners.has(type) || this.#listeners.has('*')
  }

  emit(event: Event): void {
    for (const stream of this.#streams) stream.push(event)
    this.#tell(this.#listeners.get(event.type), event)
    this.#tell(this.#listeners.get('*'), event)
  }

  /**
   * @returns A function that stops listening.
   * @throws {EspalierError} `ESP_INVALID_OPTION` for a type that no event has, or a listener that is no function.
   */
  on(type: string, listener: (event: Event) => unknown): () => void {
    if (type !== '*' && !this.#types.has(type)) throw unknownType(type, this.#types)
    if (typeof listener !== 'function') {
      const expected = 'a function'
      throw new EspalierError('ESP_INVALID_OPTION', { option: 'listener', expected, got: listener })
    }
    const listeners = this.#listeners.get(type) ?? new Set()
    this.#listeners.set(type, listeners)
    // A wrapper of its own: the same listener given twice is called twice.
    const wrapper = (event: Event) => listener(event)
    listeners.add(wrapper)
    return () => {
      listeners.delete(wrapper)
      if (listeners.size === 0 && this.#listeners.get(type) === listeners) this.#listeners.delete(type)
    }
  }

  /** All events from now on, until the pool is closed or the reader stops. */
  stream(): AsyncIterableIterator<Event> & { readonly dropped: number } {
    const stream = new EventStream<Event>(() => this.#streams.delete(stream))
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

  #tell(listeners: Set<(event: Event) => unknown> | undefined, event: Event): void {
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

function unknownType(got: unknown, types: ReadonlySet<string>): EspalierError {
  const expected = `'*' or one of ${[...types].join(', ')}`
  const nearest = typeof got === 'string' ? nearestName(got, types) : undefined
  const todo = nearest === undefined ? {} : { todo: `Did you mean "${nearest}"? Correct the name.` }
  return new EspalierError('ESP_INVALID_OPTION', { option: 'type', expected, got, ...todo })
}

/** Events on their way to one reader. */
class EventStream<Event> implements AsyncIterableIterator<Event> {
  /** How many events were dropped because the reader was too slow. */
  dropped = 0
  readonly #events = new Fifo<Event>()
  readonly #readers = new Fifo<(result: IteratorResult<Event>) => void>()
  readonly #onReturn: () => void
  #hasEnded = false

  constructor(onReturn: () => void) {
    this.#onReturn = onReturn
  }

  push(event: Event): void {
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

  next(): Promise<IteratorResult<Event>> {
    const event = this.#events.shift()
    if (event !== undefined) return Promise.resolve({ done: false, value: event })
    if (this.#hasEnded) return Promise.resolve({ done: true, value: undefined })
    return new Promise((resolve) => this.#readers.push(resolve))
  }

  return(): Promise<IteratorResult<Event>> {
    this.#onReturn()
    this.#events.clear()
    this.end()
    return Promise.resolve({ done: true, value: undefined })
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
