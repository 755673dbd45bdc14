import { monitorEventLoopDelay } from 'node:perf_hooks'

/** How often the event loop's lag is looked at, in ms; what the timer itself takes is no lag. */
const RESOLUTION_MS = 50

/** What the process uses, from one sample to the next. */
export class ProcessSampler {
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  #cpu = process.cpuUsage()
  #at = performance.now()

  constructor() {
    this.#delay.enable()
  }

  /** Memory in KiB, lag in µs, processor in percent. */
  take(): { rss: number; heap: number; lag: number; cpu: number } {
    const at = performance.now()
    const { user, system } = process.cpuUsage(this.#cpu)
    const percent = (user + system) / (10 * Math.max(1, at - this.#at))
    this.#cpu = process.cpuUsage()
    this.#at = at
    const lag = this.#delay.count === 0 ? 0 : Math.max(0, this.#delay.max / 1000 - 1000 * RESOLUTION_MS)
    this.#delay.reset()
    const { rss, heapUsed } = process.memoryUsage()
    return {
      rss: Math.round(rss / 1024),
      heap: Math.round(heapUsed / 1024),
      lag: Math.round(lag),
      cpu: Math.round(percent),
    }
  }

  close(): void {
    this.#delay.disable()
  }
}
