import { JobPool } from 'espalier'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { systemClock } from '../../src/runtime/pool/system.ts'
import { RecordingLogger } from './harness.ts'

const LONGEST_TIMER_MS = 2 ** 31 - 1

describe('the machine’s clock', () => {
  test('gives epoch time that never goes back', () => {
    const first = systemClock.now()
    expect(Math.abs(first - Date.now())).toBeLessThan(60_000)
    expect(systemClock.now()).toBeGreaterThanOrEqual(first)
  })

  test('wakes at the instant or after it, never before', async () => {
    const at = systemClock.now() + 5.4
    const wokenAt = await new Promise<number>((resolve) =>
      systemClock.wakeAt(at, () => resolve(systemClock.now())),
    )
    expect(wokenAt).toBeGreaterThanOrEqual(at)
  })

  test('wakes for an instant that has passed, but not on the stack of who asked', async () => {
    let hasWoken = false
    const woken = new Promise<void>((resolve) =>
      systemClock.wakeAt(systemClock.now() - 1_000, () => {
        hasWoken = true
        resolve()
      }),
    )
    expect(hasWoken).toBe(false)
    await woken
  })

  test('does work "soon" after the work at hand', async () => {
    const order: string[] = []
    const done = new Promise<void>((resolve) =>
      systemClock.soon(() => {
        order.push('soon')
        resolve()
      }),
    )
    order.push('now')
    await Promise.resolve().then(() => order.push('promise'))
    await done
    expect(order).toEqual(['now', 'promise', 'soon'])
  })
})

describe('a wait longer than Node’s timers can be', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  test('never fires early, and fires at its instant', () => {
    const waitMs = 3 * LONGEST_TIMER_MS + 5
    const wake = vi.fn()
    systemClock.wakeAt(systemClock.now() + waitMs, wake)
    for (const ms of [1, LONGEST_TIMER_MS, LONGEST_TIMER_MS, LONGEST_TIMER_MS]) {
      vi.advanceTimersByTime(ms)
      expect(wake).not.toHaveBeenCalled()
    }
    vi.advanceTimersByTime(10)
    expect(wake).toHaveBeenCalledOnce()
    expect(vi.getTimerCount()).toBe(0)
  })

  test('can be withdrawn, also after its first timer', () => {
    const wake = vi.fn()
    const withdraw = systemClock.wakeAt(systemClock.now() + 2 * LONGEST_TIMER_MS, wake)
    vi.advanceTimersByTime(LONGEST_TIMER_MS + 1)
    withdraw()
    expect(vi.getTimerCount()).toBe(0)
    vi.advanceTimersByTime(2 * LONGEST_TIMER_MS)
    expect(wake).not.toHaveBeenCalled()
  })
})

describe('a pool on the machine’s clock', () => {
  test('does not fire delays and timeouts beyond 2³¹ ms early', async () => {
    const overflow = vi.fn()
    process.on('warning', overflow)
    const logger = new RecordingLogger()
    const pool = new JobPool({ logger, timeoutMs: 2 ** 32, maxParallelJobs: 2 })
    const delayed = pool.submitJob({ execute: () => 1, delayMs: 2 ** 31 + 1 })
    let hasAborted = false
    const running = pool.submitJob({
      execute: ({ signal }) =>
        new Promise<void>((resolve) =>
          signal.addEventListener('abort', () => {
            hasAborted = true
            resolve()
          }),
        ),
    })
    // A short wait of the same clock: had the long ones been cut to 1 ms, they would have fired before it.
    await pool.submitJob({ execute: () => 2, delayMs: 20 }).value()
    expect([delayed.status, running.status, hasAborted]).toEqual(['queued', 'running', false])
    await pool.shutdown({ wait: false })
    expect(hasAborted).toBe(true)
    expect(overflow).not.toHaveBeenCalled()
    process.off('warning', overflow)
  })
})
