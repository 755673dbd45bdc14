import { EspalierError } from '../../domain/errors.ts'
import type { Executor } from '../../ports/executor.ts'
import type { PoolSettings } from './options.ts'

/** How the executors that a pool knows by name are made. */
export type ExecutorFactories = Readonly<Record<string, () => Executor>>

/** How long executors may take to end what they hold when their pool is closed, in ms. */
const CLOSE_MS = 5_000

/** The executors of a pool; those it knows only by name are made when a job first needs them. */
export class ExecutorSet {
  /** Runs the jobs that name no other. */
  readonly first: Executor
  readonly #settings: PoolSettings
  readonly #factories: ExecutorFactories
  readonly #made = new Map<string, Executor>()
  #closed: Promise<void> | undefined

  /** @throws {EspalierError} `ESP_UNKNOWN_EXECUTOR` for `executorType`. */
  constructor(settings: PoolSettings, factories: ExecutorFactories) {
    this.#settings = settings
    this.#factories = factories
    const { executor, executors } = settings
    for (const given of executors) this.#made.set(given.name, given)
    if (typeof executor !== 'string') this.#made.set(executor.name, executor)
    this.first = typeof executor === 'string' ? this.get(executor) : executor
  }

  /** @throws {EspalierError} `ESP_UNKNOWN_EXECUTOR`. */
  get(name: string): Executor {
    const made = this.#made.get(name)
    if (made !== undefined) return made
    const create = Object.hasOwn(this.#factories, name) ? this.#factories[name] : undefined
    if (create === undefined) {
      const known = [...new Set([...this.#made.keys(), ...Object.keys(this.#factories)])]
      throw new EspalierError('ESP_UNKNOWN_EXECUTOR', { executor: name, known })
    }
    const executor = create()
    this.#made.set(name, executor)
    return executor
  }

  /** Ends all of them; whatever they do, it resolves after {@link CLOSE_MS}. */
  close(): Promise<void> {
    this.#closed ??= Promise.all(Array.from(this.#made.values(), (executor) => this.#end(executor))).then(
      () => {},
    )
    return this.#closed
  }

  #end(executor: Executor): Promise<void> {
    const { clock, logger } = this.#settings
    const failed = (thrown: unknown) =>
      logger.error(`The executor "${executor.name}" threw when it was closed.`, thrown)
    return new Promise((resolve) => {
      if (executor.close === undefined) return resolve()
      const withdraw = clock.wakeAt(clock.now() + CLOSE_MS, () => {
        logger.warn(`The executor "${executor.name}" did not close within ${CLOSE_MS} ms.`)
        resolve()
      })
      const close = async () => executor.close?.()
      void close()
        .catch(failed)
        .finally(() => {
          withdraw()
          resolve()
        })
    })
  }
}
