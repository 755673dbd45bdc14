import {
  createMemoryStore,
  EspalierError,
  type HandlerContext,
  JobPool,
  type JobPoolOptions,
  type RunStore,
  type StoreBatch,
} from 'espalier'
import { SimulatedClock } from 'espalier/testing'
import { expect } from 'vitest'
import type { JobRecord } from '../../src/ports/run-store.ts'
import { foldTrace } from '../../src/runtime/record/trace-fold.ts'
import { RecordingLogger } from '../runtime/harness.ts'

/** A batch whose jobs are all made: they can be gone through more than once. */
type WholeBatch = StoreBatch & Record<'submitted' | 'changed', readonly JobRecord[]>

/** A store whose writer may die, or which may refuse; in memory when none is given. */
export class FaultyStore {
  readonly #inner: RunStore
  /** Called before each commit; what it throws refuses it. */
  onCommit: (batch: WholeBatch) => void = () => {}
  commits = 0

  constructor(inner: RunStore = createMemoryStore()) {
    this.#inner = inner
  }

  /** The store as the pool of one process sees it; after `die`, nothing that the pool does reaches the store. */
  process(): { store: RunStore; die: () => void } {
    let isAlive = true
    const inner = this.#inner
    const commit = (batch: StoreBatch) => {
      if (!isAlive) throw new EspalierError('ESP_STORE_REFUSED', { store: 'memory', message: 'dead' })
      const whole = { ...batch, submitted: [...batch.submitted], changed: [...batch.changed] }
      this.onCommit(whole)
      inner.commit(whole)
      this.commits++
    }
    const store = new Proxy(inner, {
      get: (target, name) => {
        if (name === 'commit') return commit
        const value = Reflect.get(target, name)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    return {
      store,
      die: () => {
        isAlive = false
      },
    }
  }

  get store(): RunStore {
    return this.#inner
  }
}

export const full = () => new EspalierError('ESP_STORE_REFUSED', { store: 'memory', message: 'disk is full' })

interface Held {
  readonly context: HandlerContext
  readonly args: readonly unknown[]
  resolve(value?: unknown): void
  reject(thrown: unknown): void
}

/** Handlers that a test ends by hand, by the name of the job. */
class Hands {
  readonly started: string[] = []
  readonly #held = new Map<string, Held>()

  readonly handlers = {
    held: (...args: unknown[]) =>
      new Promise((resolve, reject) => {
        const context = args.pop() as HandlerContext
        this.started.push(`${context.jobId}#${context.attempt}`)
        this.#held.set(context.jobId, { context, args, resolve, reject })
      }),
    one: () => 1,
    bad: () => Promise.reject(new TypeError('no')),
  }

  of(jobId: string): Held {
    const held = this.#held.get(jobId)
    if (held === undefined) throw new Error(`${jobId} has not started; ${this.started.join(', ')} have.`)
    return held
  }
}

/** A pool on a simulated clock that keeps its jobs in `store`. */
export function durablePool(store: RunStore, options: JobPoolOptions = {}) {
  const clock = (options.clock as SimulatedClock | undefined) ?? new SimulatedClock()
  const hands = new Hands()
  const logger = new RecordingLogger()
  const pool = new JobPool({
    clock,
    logger,
    random: { next: () => 0.5 },
    store,
    handlers: hands.handlers,
    ...options,
  })
  return { pool, clock, hands, logger }
}

/** Expects that the journal folds to exactly the stored state of every job. */
export function expectFolded(store: RunStore): void {
  const { jobs } = foldTrace(store.trace())
  for (const [id, { value, context, output }] of jobs) {
    const record = store.job(id)
    const state = typeof value === 'string' ? value : Object.entries(value).flat().join('.')
    const { attempt, lost, deadlineAt, startedAt } = context
    expect({ id, state, attempt, lost, deadlineAt, startedAt }).toEqual({
      id,
      state: record?.state,
      attempt: record?.attempt,
      lost: record?.lost,
      deadlineAt: record?.deadlineAt,
      startedAt: record?.startedAt,
    })
    expect(output?.endedAt).toBe(record?.end?.at)
  }
}
