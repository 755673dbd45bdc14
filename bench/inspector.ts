import { JobPool, PRIORITIES } from 'espalier'
import { createInspector } from 'espalier/http'
import { buildInspectorIfOutdated } from '../scripts/build-inspector.ts'
import { exportRecording } from '../src/http/exports.ts'
import { looksOn } from './inspector/looks-on.ts'
import { generateRecording } from './recordings.ts'
import { atLeast, atMost, breathe, type Measures, measureAll, type Row } from './suite.ts'

const JOBS = 100_000
const SLOTS = 8
/** How often what is compared is measured, each time in a process of its own. */
const TURNS = 3
const MEGABYTE = 1e6
/** A live run of 5,000 events a second: a job has five. */
const JOBS_A_TICK = 10
const TICK_MS = 10
const LIVE_MS = 2_000
const noop = async () => {}

/** Jobs a second, and microseconds of the pool's thread: what is compared takes turns. */
const compared = {
  alone: () => perSecond(JOBS, notAtAll),
  recorded: () => perSecond(JOBS, createInspector),
  viewed: () => perSecond(JOBS, looksOn),
  aloneCpu: () => ownTime(notAtAll),
  recordedCpu: () => ownTime(createInspector),
  viewedCpu: () => ownTime(looksOn),
}

/** Jobs a second, or bytes, or bytes for each event. */
const others = {
  millionAlone: () => perSecond(10 * JOBS, notAtAll),
  millionRecorded: () => perSecond(10 * JOBS, createInspector),
  reportBytes: () => reportBytes(),
  liveBytesPerEvent: () => liveBytesPerEvent(),
}

export const measures = { ...compared, ...others } satisfies Measures

/** What the inspector costs the pool, and what it sends and writes. */
export async function inspector(progress: (what: string) => void): Promise<Row[]> {
  const { alone, recorded, viewed, aloneCpu, recordedCpu, viewedCpu } = await measureAll(
    'inspector',
    compared,
    progress,
    TURNS,
  )
  const {
    millionAlone,
    millionRecorded,
    reportBytes: report,
    liveBytesPerEvent: live,
  } = await measureAll('inspector', others, progress)
  return [
    atLeast('recorded', '100k no-op jobs, recorded, beside without', recorded, alone, 0.97),
    atLeast('sustained', '1M of them, recorded, beside without', millionRecorded, millionAlone, 0.97),
    atLeast('viewed', '100k with one page that looks on, beside without', viewed, alone, 0.92),
    atMost(
      'recorded/own',
      'what the thread of the pool needs for one of these',
      recordedCpu,
      aloneCpu,
      1.03,
      'µs',
    ),
    atMost('viewed/own', 'the same with one page that looks on', viewedCpu, aloneCpu, 1.08, 'µs'),
    atMost('report', 'a report of 100k jobs, beside 5 MB', report / MEGABYTE, 5, 1, 'MB'),
    atMost('live', 'sent of 5,000 events a second, beside 100 kB/s', 5 * live, 100, 1, 'kB/s'),
  ]
}

/** Begins to look at a pool; what it returns is closed in the end. */
type Inspect = (pool: JobPool) => Closable | Promise<Closable>
interface Closable {
  close(): Promise<void>
}

const notAtAll: Inspect = () => ({ close: async () => {} })

const perSecond = async (jobs: number, inspect: Inspect): Promise<number> =>
  (1000 * jobs) / (await flatJobs(jobs, inspect)).ms

/** What the pool's own thread needs for a job, in µs of a processor: the same whatever else the machine does. */
const ownTime = async (inspect: Inspect): Promise<number> =>
  (await flatJobs(JOBS, inspect)).cpuMicroseconds / JOBS

async function flatJobs(jobs: number, inspect: Inspect): Promise<{ ms: number; cpuMicroseconds: number }> {
  const pool = new JobPool({ maxParallelJobs: SLOTS })
  const inspector = await inspect(pool)
  await breathe()
  const startedAt = performance.now()
  const before = process.threadCpuUsage()
  const results: Promise<unknown>[] = new Array(jobs)
  for (let index = 0; index < jobs; index++) {
    const priority = PRIORITIES[index % PRIORITIES.length] ?? 'normal'
    results[index] = pool.submitJob({ execute: noop, priority }).result()
  }
  await Promise.all(results)
  const { user, system } = process.threadCpuUsage(before)
  const ms = performance.now() - startedAt
  await inspector.close()
  return { ms, cpuMicroseconds: user + system }
}

async function reportBytes(): Promise<number> {
  await buildInspectorIfOutdated()
  let bytes = 0
  for (const part of exportRecording(generateRecording({ jobs: JOBS }), 'report.html').parts)
    bytes += part.length
  return bytes
}

async function liveBytesPerEvent(): Promise<number> {
  const pool = new JobPool({ maxParallelJobs: SLOTS })
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
