import { EspalierError } from '../domain/errors.ts'
import type { JobRecord, RunStore, StoreBatch } from '../ports/run-store.ts'
import { createMemoryStore } from '../stores/memory.ts'

/** Where a simulated process dies: at a commit, before it is recorded or after. */
export interface PlannedDeath {
  /** Counted from now, from 1. */
  readonly commit: number
  readonly isRecorded: boolean
}

/** What outlives a simulated process: a store in memory, whose writer may die. */
export class Disk {
  readonly #store = createMemoryStore()
  #planned: PlannedDeath | undefined
  #commits = 0
  #writer = 0
  /** Whether the process that writes has died, and no other has begun. */
  isOrphaned = false

  job(id: string): JobRecord | undefined {
    return this.#store.job(id)
  }

  /** The jobs that are stored, in no particular order. */
  ids(): string[] {
    return Array.from(this.#records(), ({ id }) => id)
  }

  /** Those that hold a slot, as far as the store knows. */
  running(): string[] {
    return Array.from(this.#records())
      .filter(({ state }) => state.startsWith('running'))
      .map(({ id }) => id)
  }

  *#records(): Generator<JobRecord> {
    yield* this.#store.jobs(undefined)
    for (const { id } of this.#store.runs()) yield* this.#store.jobs(id)
  }

  /** The process dies at a commit to come. */
  planDeath(death: PlannedDeath): void {
    this.#planned = { ...death, commit: this.#commits + death.commit }
  }

  /** The store as a new process sees it; nothing that an older one does reaches it any more. */
  open(): RunStore {
    const writer = ++this.#writer
    this.isOrphaned = false
    const store = this.#store
    return new Proxy(store, {
      get: (_, name) => {
        if (name === 'commit') return (batch: StoreBatch) => this.#commit(writer, batch)
        const value: unknown = Reflect.get(store, name)
        return typeof value === 'function' ? value.bind(store) : value
      },
    })
  }

  #commit(writer: number, batch: StoreBatch): void {
    if (writer !== this.#writer || this.isOrphaned) throw refusal()
    this.#commits++
    const isLast = this.#planned?.commit === this.#commits
    if (!isLast || this.#planned?.isRecorded) this.#store.commit(batch)
    if (!isLast) return
    this.#planned = undefined
    this.isOrphaned = true
    throw refusal()
  }
}

const refusal = () =>
  new EspalierError('ESP_STORE_REFUSED', { store: 'memory', message: 'the process has died' })
