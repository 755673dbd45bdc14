import { storedList } from '../../domain/stored-json.ts'
import type { ChartEvent, TraceActor, TraceEvent } from '../../domain/trace.ts'
import type { StoreEvent } from '../../ports/run-store.ts'

/**
 * An event as a row of the journal has it, its number being told by its place; `null` when it was pruned.
 *
 * Its time is told in {@link TICKS_PER_MS} since that of the row's first, or as text where that is not exact.
 */
export type Entry =
  | readonly [at: number | string, key: number, type: string, data?: object | null, id?: string]
  | readonly [at: number | string, id: string, type: string, data: object | null, actor: TraceActor]
  | null

/** The steps in which a double tells the time of our days in ms. */
const TICKS_PER_MS = 4_096

/** Events that are told by their type alone. */
const BARE = new Set(['dependencies.met', 'slot.granted', 'deadline.reached'])

/** Writes events as text. */
export class EntryTexts {
  #since = 0
  #spec: object | undefined
  #specText = ''

  /** The time of the first event of the row that is written. */
  set since(at: number) {
    this.#since = at
  }

  textOf({ at, actor, id, key, event, isAhead = false }: StoreEvent): string {
    const { type } = event
    const when = this.#timeOf(at)
    if (key === undefined) {
      const data = BARE.has(type) ? 'null' : dataOf(event)
      return `[${when},${JSON.stringify(id)},"${type}",${data},"${actor}"]`
    }
    if (BARE.has(type)) return `[${when},${key},"${type}"]`
    if (type === 'job.submitted') {
      if (!isAhead) return `[${when},${key},"job.submitted"]`
      return `[${when},${key},"job.submitted",${this.specOf(event)},${JSON.stringify(id)}]`
    }
    if (type === 'attempt.completed') return `[${when},${key},"${type}",${completionOf(event, isAhead)}]`
    return `[${when},${key},"${type}",${dataOf(event)}]`
  }

  /** Jobs that say no more than what they run share one spec. */
  specOf(submitted: object): string {
    if (submitted !== this.#spec) {
      this.#spec = submitted
      this.#specText = JSON.stringify(submitted)
    }
    return this.#specText
  }

  #timeOf(at: number): string {
    const ticks = (at - this.#since) * TICKS_PER_MS
    return Number.isInteger(ticks) && timeOf(ticks, this.#since) === at ? String(ticks) : `"${at}"`
  }
}

/** What an event carries besides its type. */
function dataOf(event: TraceEvent): string {
  const { type, ...data } = event as { readonly [field: string]: unknown }
  return JSON.stringify(data)
}

/** A completed attempt's value is its job's, and kept in its row when there is one. */
function completionOf(event: TraceEvent, hasValue: boolean): string {
  const { attempt, value, usage } = event as ChartEvent
  if (usage === undefined && (value === undefined || !hasValue)) return `{"attempt":${attempt}}`
  return JSON.stringify(hasValue ? { attempt, value, usage } : { attempt, usage })
}

const timeOf = (at: number | string, since: number): number =>
  typeof at === 'string' ? Number(at) : since + at / TICKS_PER_MS

export function parseEntries(text: string, firstSeq: number): Entry[] {
  return storedList(text, 'events', 'journal row', firstSeq)
}

/**
 * An event again, without what only its job's row tells.
 *
 * @param since - The time of the first event of its row. @param id - Of the job whose event it is.
 */
export function eventOf(entry: NonNullable<Entry>, seq: number, since: number, id?: string): StoreEvent {
  const [time, subject, type, data] = entry
  const at = timeOf(time, since)
  if (typeof subject === 'string') {
    const event = { type, ...data } as TraceEvent
    return { seq, at, actor: entry[4] as TraceActor, id: subject, key: undefined, event }
  }
  const event = type === 'job.submitted' ? (data as unknown as TraceEvent) : ({ type, ...data } as TraceEvent)
  return { seq, at, actor: 'job', id: id ?? (entry[4] as string), key: subject, event }
}
