import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { JobPool } from 'espalier'
import { buildInspectorIfOutdated } from '../scripts/build-inspector.ts'
import { exportRecording } from '../src/http/exports/exports.ts'
import type { Cost, Way } from './inspector/in-turns.ts'
import { looksOn } from './inspector/looks-on.ts'
import { generateRecording } from './recordings.ts'
import { atLeast, atMost, type Measures, measureAll, median, type Row } from './suite.ts'

const JOBS = 100_000
const ROUNDS = 41
/** Many short rounds tell a few percent from noise, where few long ones do not. */
const JOBS_OF_A_SHORT_ROUND = 20_000
const SHORT_ROUNDS = 201
const MILLION = 1_000_000
const ROUNDS_OF_A_MILLION = 5
const MEGABYTE = 1e6
/** A live run of 5,000 events a second: a job has five. */
const JOBS_A_TICK = 10
const TICK_MS = 10
const LIVE_MS = 2_000
const noop = async () => {}

/**
 * The heap may grow to many times what is alive before V8 collects all of it: else a full collection, a quarter of a round, falls
 * into some rounds and not into others. Between the rounds there is one.
 */
const NO_FULL_COLLECTIONS = '--heap-growing-percent=2000'
/** The collector has no threads to help it, so all its work is in the time of the thread whose garbage it is. */
const COLLECT_ALONE = '--single-threaded-gc'

/** Bytes, or bytes for each event. */
export const measures = {
  reportBytes: () => reportBytes(),
  liveBytesPerEvent: () => liveBytesPerEvent(),
} satisfies Measures

/** What the inspector costs the pool, and what it sends and writes. */
export async function inspector(progress: (what: string) => void): Promise<Row[]> {
  const recorded = (flags: readonly string[]) =>
    inTurns(JOBS_OF_A_SHORT_ROUND, SHORT_ROUNDS, ['alone', 'recorded'], flags)
  const viewed = (flags: readonly string[]) => inTurns(JOBS, ROUNDS, ['alone', 'viewed'], flags)
  progress('20k in turns')
  const short = await recorded([NO_FULL_COLLECTIONS])
  progress('20k, time of the thread')
  const shortOwn = await recorded([NO_FULL_COLLECTIONS, COLLECT_ALONE])
  progress('100k in turns')
  const long = await viewed([NO_FULL_COLLECTIONS])
  progress('100k, time of the thread')
  const longOwn = await viewed([NO_FULL_COLLECTIONS, COLLECT_ALONE])
  progress('1M in turns')
  const million = await inTurns(MILLION, ROUNDS_OF_A_MILLION, ['alone', 'recorded'])
  const { reportBytes: report, liveBytesPerEvent: live } = await measureAll('inspector', measures, progress)
  return [
    faster('recorded', '20k no-op jobs, recorded, beside without', short.recorded, short.alone, 0.97),
    faster('sustained', '1M of them, beside without', million.recorded, million.alone, 0.97),
    faster('viewed', '100k with one page that looks on, beside without', long.viewed, long.alone, 0.92),
    cheaper(
      'recorded/own',
      'what the thread of the pool needs for one of 20k, recorded',
      shortOwn.recorded,
      shortOwn.alone,
      1.03,
    ),
    cheaper('viewed/own', 'and of 100k with one page that looks on', longOwn.viewed, longOwn.alone, 1.08),
    atMost('report', 'a report of 100k jobs, beside 5 MB', median(report) / MEGABYTE, 5, 1, 'MB'),
    atMost('live', 'sent of 5,000 events a second, beside 100 kB/s', 5 * median(live), 100, 1, 'kB/s'),
  ]
}

const faster = (id: string, what: string, ours: readonly Cost[], peer: readonly Cost[], bar: number): Row =>
  atLeast(id, what, ours.map(rate), peer.map(rate), bar)

const cheaper = (id: string, what: string, ours: readonly Cost[], peer: readonly Cost[], bar: number): Row =>
  atMost(id, what, ours.map(ownTime), peer.map(ownTime), bar, 'µs')

const rate = ({ jobsPerSecond }: Cost): number => jobsPerSecond
const ownTime = ({ ownMicroseconds }: Cost): number => ownMicroseconds

/** In a process of its own: see `inspector/in-turns.ts`. */
async function inTurns(
  jobs: number,
  rounds: number,
  ways: readonly Way[],
  flags: readonly string[] = [],
): Promise<Record<Way, readonly Cost[]>> {
  const script = fileURLToPath(new URL('./inspector/in-turns.ts', import.meta.url))
  const args = [...process.execArgv, ...flags, script, String(jobs), String(rounds), ...ways]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  return JSON.parse(stdout) as Record<Way, readonly Cost[]>
}

async function reportBytes(): Promise<number> {
  await buildInspectorIfOutdated()
  let bytes = 0
  for (const part of exportRecording(generateRecording({ jobs: JOBS }), 'report.html').parts)
    bytes += part.length
  return bytes
}

async function liveBytesPerEvent(): Promise<number> {
  const pool = new JobPool({ maxParallelJobs: 8 })
  const { bytes, close } = await looksOn(pool)
  // What comes first, the charts among it, comes once.
  pool.submitJob({ execute: noop })
  await new Promise((resolve) => setTimeout(resolve, TICK_MS * 50))
  const before = await bytes()
  let jobs = 0
  for (const startedAt = performance.now(); performance.now() - startedAt < LIVE_MS; ) {
    for (let index = 0; index < JOBS_A_TICK; index++, jobs++) pool.submitJob({ execute: noop })
    await new Promise((resolve) => setTimeout(resolve, TICK_MS))
  }
  await new Promise((resolve) => setTimeout(resolve, TICK_MS * 50))
  const perEvent = ((await bytes()) - before) / (EVENTS_OF_A_JOB * jobs)
  await close()
  return perEvent
}

/** Submitted, ready, granted, started, completed. */
const EVENTS_OF_A_JOB = 5
