import { nanoid } from 'nanoid'
import { LONGEST_TIMER_MS } from '../../domain/timer.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Ids, Random } from '../../ports/random.ts'

const TIME_ORIGIN = performance.timeOrigin

/**
 * The machine's time: epoch ms that only go forward, whatever happens to the wall clock meanwhile.
 *
 * Waits of any length are made of as many timers as it takes, and end never early.
 */
export const systemClock: Clock = {
  now: () => TIME_ORIGIN + performance.now(),
  wakeAt(at, wake) {
    let timer: NodeJS.Timeout
    const sleep = () => {
      const restMs = Math.ceil(at - systemClock.now())
      if (restMs <= 0 && timer !== undefined) return wake()
      timer = setTimeout(sleep, Math.min(Math.max(restMs, 0), LONGEST_TIMER_MS))
    }
    sleep()
    return () => clearTimeout(timer)
  },
  soon: (run) => void setImmediate(run),
}

export const systemRandom: Random = { next: Math.random }

/** Names of 48 random bits; short, since every job's id begins with one. */
export const systemIds: Ids = { next: () => nanoid(8) }
