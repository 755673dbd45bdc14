import {
  type ErrorCode,
  EspalierError,
  type HandlerContext,
  type Job,
  JobPool,
  type JobPoolOptions,
  type JobSpec,
  type Logger,
  type PoolStreamEvent,
} from 'espalier'
import { SimulatedClock } from 'espalier/testing'
import { expect, vi } from 'vitest'

const warn = console.warn
// XState's own actor warns of events after its end; here they are sent on purpose.
vi.spyOn(console, 'warn').mockImplementation((...words) => {
  if (!String(words[0]).includes('was sent to stopped actor')) warn(...words)
})

/** A logger that says nothing and remembers everything. */
export class RecordingLogger implements Logger {
  readonly lines: { readonly level: keyof Logger; readonly message: string; readonly details: unknown }[] = []

  debug = (message: string, details?: unknown) => this.#note('debug', message, details)
  info = (message: string, details?: unknown) => this.#note('info', message, details)
  warn = (message: string, details?: unknown) => this.#note('warn', message, details)
  error = (message: string, details?: unknown) => this.#note('error', message, details)

  at(level: keyof Logger): string[] {
    return this.lines.filter((line) => line.level === level).map((line) => line.message)
  }

  #note(level: keyof Logger, message: string, details: unknown): void {
    this.lines.push({ level, message, details })
  }
}

/** A pool on a simulated clock, without chance: jitter falls in the middle, ids are counted. */
export function createPool(options: JobPoolOptions = {}) {
  const clock = new SimulatedClock()
  const logger = new RecordingLogger()
  let count = 0
  const pool = new JobPool({
    clock,
    logger,
    random: { next: () => 0.5 },
    ids: { next: () => `job-${++count}` },
    ...options,
  })
  return { pool, clock, logger }
}

/** One attempt that goes on until the test ends it. */
export interface HeldAttempt {
  readonly context: HandlerContext
  readonly args: readonly unknown[]
  resolve(value?: unknown): void
  reject(thrown: unknown): void
}

/** A handler whose attempts end when the test says so, and which ignores its signal. */
export function createHeld() {
  const attempts: HeldAttempt[] = []
  const execute = (...given: unknown[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      attempts.push({
        context: given.at(-1) as HandlerContext,
        args: given.slice(0, -1),
        resolve: (value) => resolve(value),
        reject,
      })
    })
  /** The last attempt of a job. */
  const of = (jobId: string): HeldAttempt => {
    const found = attempts.findLast(({ context }) => context.jobId === jobId)
    if (found === undefined) throw new Error(`No attempt of ${jobId} has started.`)
    return found
  }
  const started = () => attempts.map(({ context }) => context.jobId)
  return { attempts, execute, of, started }
}

/** A handler that goes on until its signal is aborted, and then throws the reason. */
export const obedient = (context: HandlerContext): Promise<never> =>
  new Promise((_, reject) => {
    context.signal.addEventListener('abort', () => reject(context.signal.reason))
  })

export const never = (): Promise<never> => new Promise(() => {})

/** A handler that throws. */
export const failing =
  (message = 'broken') =>
  (): never => {
    throw new Error(message)
  }

/** Writes down the events of a pool as they happen. */
export function recordEvents(pool: JobPool): PoolStreamEvent[] {
  const events: PoolStreamEvent[] = []
  pool.on('*', (event) => events.push(event))
  return events
}

export const typesOf = (events: readonly PoolStreamEvent[], jobId?: string): string[] =>
  events
    .filter((event) => jobId === undefined || ('jobId' in event && event.jobId === jobId))
    .map(({ type }) => type)

/** The leaf state of a job. */
export const stateOf = (job: Job): string => {
  const value = job.getSnapshot().value as string | Record<string, string>
  return typeof value === 'string' ? value : Object.entries(value).flat().join('.')
}

/** Expects an error of the table, and that the pool is as it was before. */
export function expectRefusal(pool: JobPool, code: ErrorCode, act: () => unknown): EspalierError {
  const before = pool.getStatus()
  let thrown: unknown
  try {
    act()
  } catch (error) {
    thrown = error
  }
  expect(thrown).toBeInstanceOf(EspalierError)
  expect(thrown).toMatchObject({ code })
  expect(pool.getStatus()).toEqual(before)
  return thrown as EspalierError
}

/** The counts of a status, with the sum that they must make. */
export function expectConsistent(pool: JobPool): void {
  const status = pool.getStatus()
  const { queued, running, completed, failed, cancelled, total } = status
  expect(queued + running + completed + failed + cancelled).toBe(total)
  expect(Object.values(status.queuedByState).reduce((sum, count) => sum + count, 0)).toBe(queued)
  expect(Object.values(status.queuedByPriority).reduce((sum, count) => sum + count, 0)).toBe(queued)
  expect(status.runningJobIds).toHaveLength(running)
  for (const count of [queued, running, completed, failed, cancelled]) expect(count).toBeGreaterThanOrEqual(0)
}

/** Expects that all slots are free, by filling each of them once. */
export async function expectAllSlotsFree(pool: JobPool, clock: SimulatedClock): Promise<void> {
  await clock.settle()
  const { maxParallelJobs, running } = pool.getStatus()
  expect(running).toBe(0)
  const held = createHeld()
  const jobs = Array.from({ length: maxParallelJobs + 1 }, () => pool.submitJob({ execute: held.execute }))
  await clock.settle()
  expect(held.attempts).toHaveLength(maxParallelJobs)
  for (const job of jobs) job.cancel('probe')
  for (const { resolve } of held.attempts) resolve()
  await clock.settle()
  expectConsistent(pool)
}

/** Ids of jobs in the order in which they start; each ends at once. */
export function createTracer() {
  const order: string[] = []
  const execute = (context: HandlerContext) => void order.push(context.jobId)
  const spec = (id: string, rest: Partial<JobSpec<void>> = {}): JobSpec<void> => ({ id, execute, ...rest })
  return { order, execute, spec }
}
