import type { PoolEvent } from '../../../machines/index.ts'
import { judgePressure, type PressureReason, type PressureRule } from '../../domain/pressure.ts'
import type { Host, HostWatch } from '../../ports/host.ts'
import type { Deadlines, Sleeper, Wish } from './deadlines.ts'

/** The pool as its watch sees it. */
interface WatchedPool {
  readonly deadlines: Deadlines
  now(): number
  tell(event: PoolEvent): void
  /** What its chart is throttled by; empty when it is not. */
  readonly pressureReasons: readonly PressureReason[]
}

/**
 * Looks at the machine every `sampleMs` while jobs run, and tells the pool's chart of pressure.
 *
 * It remembers nothing: what is too high at present is the chart's to know. The machine is watched from the first
 * look on, so that a pool whose jobs end sooner never pays for it.
 */
export class PressureWatch implements Sleeper {
  wish: Wish | undefined = undefined
  readonly #pool: WatchedPool
  readonly #host: Host
  readonly #rule: PressureRule
  #watch: HostWatch | undefined

  constructor(pool: WatchedPool, host: Host, rule: PressureRule) {
    this.#pool = pool
    this.#host = host
    this.#rule = rule
  }

  /** To be called when the number of running jobs may have changed, at most once a turn of the event loop. */
  follow(isBusy: boolean): void {
    if (isBusy === (this.wish !== undefined)) return
    if (isBusy) {
      this.#sleep(this.#pool.now())
      return
    }
    this.#pool.deadlines.remove(this)
    this.#watch?.close()
    this.#watch = undefined
    // What nobody watches any more must not hold back the jobs that come next.
    this.#tell([])
  }

  wake(at: number): void {
    this.#watch ??= this.#host.watch()
    const { pressureReasons } = this.#pool
    this.#tell(judgePressure(this.#rule, this.#watch.sample(), pressureReasons))
    this.#sleep(at)
  }

  #sleep(now: number): void {
    this.#pool.deadlines.set(this, now + this.#rule.sampleMs)
  }

  /** Only what is news: another set of measures. */
  #tell(reasons: readonly PressureReason[]): void {
    const before = this.#pool.pressureReasons
    const at = this.#pool.now()
    if (reasons.length === 0) {
      if (before.length > 0) this.#pool.tell({ type: 'pressure.cleared', at })
    } else if (measuresOf(reasons) !== measuresOf(before)) {
      this.#pool.tell({ type: 'pressure.raised', at, reasons })
    }
  }
}

const measuresOf = (reasons: readonly PressureReason[]): string =>
  reasons.map(({ measure }) => measure).join()
