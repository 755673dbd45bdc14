import { EspalierError } from '../../domain/errors.ts'
import type { JobId } from '../../domain/job.ts'
import type { TraceEntry } from '../../domain/trace.ts'
import type { JobRecord, RunStore, StoreBatch } from '../../ports/run-store.ts'
import type { JobSnapshot } from '../../runtime/job/job.ts'
import { isStoredAs, verifyStore } from '../../runtime/record/verify.ts'
import { createMemoryStore } from '../../stores/memory.ts'

/** Where a simulated process dies: at a commit, before it is recorded or after. */
export interface PlannedDeath {
  /** Counted from now, from 1. */
  readonly commit: number
  readonly isRecorded: boolean
}

/** What outlives a simulated process: a store in memory, whose writer may die, and which may refuse to commit. */
export class Disk {
  readonly #store = createMemoryStore()
  #planned: PlannedDeath | undefined
  #plannedRefusal: number | undefined
  #commits = 0
  readonly #onRefusal: () => void
  #writer = 0
  /** Whether the process that writes has died, and no other has begun. */
  isOrphaned = false
  /** How many commits it has refused since it is full; absent when it is not. */
  refusals: number | undefined
  /** Whether it has ever refused a commit. */
  hasRefused = false

  /** @param onRefusal - Told of each commit that is refused. */
  constructor(onRefusal: () => void) {
    this.#onRefusal = onRefusal
  }

  job(id: string): JobRecord | undefined {
    return this.#store.job(id)
  }

  /** Whether it is stored that a job is not wanted any more. */
  isUnwanted(id: JobId): boolean {
    const { end, stopping } = this.#store.job(id) ?? {}
    return end !== undefined || (stopping !== undefined && !stopping.includes('"timeout"'))
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

  /** Refuses one commit to come: counted from now, from 1. */
  planRefusal(commit: number): void {
    this.#plannedRefusal = this.#commits + commit
  }

  /** All that was committed, in order. */
  trace(): readonly TraceEntry[] {
    return [...this.#store.trace()]
  }

  /** How what is stored of a job differs from its chart's snapshot; absent when it does not. */
  faultOf(id: JobId, snapshot: JobSnapshot): string | undefined {
    const record = this.#store.job(id)
    if (record !== undefined && isStoredAs(snapshot, record)) return undefined
    const { value, context } = snapshot
    const known = `${JSON.stringify(value)}, attempt ${context.attempt}`
    return `Job ${id} is ${known}, but stored as ${record?.state}, attempt ${record?.attempt}.`
  }

  /** @throws {EspalierError} `ESP_STORE_DIVERGED` when its trace does not fold to what it has of jobs and runs. */
  verify(): void {
    verifyStore(this.#store)
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
    if (writer !== this.#writer || this.isOrphaned) throw refusal('the process has died')
    this.#commits++
    if (this.refusals !== undefined || this.#plannedRefusal === this.#commits) {
      this.hasRefused = true
      if (this.refusals !== undefined) this.refusals++
      this.#onRefusal()
      throw refusal('the disk is full')
    }
    const isLast = this.#planned?.commit === this.#commits
    if (!isLast || this.#planned?.isRecorded) this.#store.commit(batch)
    if (!isLast) return
    this.#planned = undefined
    this.isOrphaned = true
    throw refusal('the process has died')
  }
}

const refusal = (message: string) => new EspalierError('ESP_STORE_REFUSED', { store: 'memory', message })
