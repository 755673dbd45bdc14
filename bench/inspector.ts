import { once } from 'node:events'
import { JobPool, PRIORITIES } from 'espalier'
import { createInspector, type Inspector } from 'espalier/http'
import { PROTOCOL_VERSION } from 'espalier/protocol'
import WebSocket from 'ws'
import { buildInspectorIfOutdated } from '../scripts/build-inspector.ts'
import { exportRecording } from '../src/http/exports.ts'
import { generateRecording } from './recordings.ts'
import { atLeast, atMost, type Measures, measureAll, type Row } from './suite.ts'

const JOBS = 100_000
const SLOTS = 8
const MEGABYTE = 1e6
/** A live run of 5,000 events a second: a job has five. */
const JOBS_A_TICK = 10
const TICK_MS = 10
const LIVE_MS = 2_000
const noop = async () => {}

/** Jobs a second, or bytes, or bytes for each event. */
export const measures = {
  alone: () => perSecond(() => {}),
  recorded: () => perSecond((pool) => createInspector(pool)),
  viewed: () => perSecond(async (pool) => (await looksOn(pool)).inspector),
  aloneCpu: () => ownTime(() => {}),
  recordedCpu: () => ownTime((pool) => createInspector(pool)),
  viewedCpu: () => ownTime(async (pool) => (await looksOn(pool)).inspector),
  reportBytes: () => reportBytes(),
  liveBytesPerEvent: () => liveBytesPerEvent(),
} satisfies Measures

/** What the inspector costs the pool, and what it sends and writes. */
export async function inspector(progress: (what: string) => void): Promise<Row[]> {
  const {
    alone,
    recorded,
    viewed,
    aloneCpu,
    recordedCpu,
    viewedCpu,
    reportBytes: report,
    liveBytesPerEvent: live,
  } = await measureAll('inspector', measures, progress)
  return [
    atLeast('recorded', '100k no-op jobs, recorded, beside without', recorded, alone, 0.97),
    atLeast('viewed', 'the same with one page that looks on, beside without', viewed, alone, 0.92),
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

type Inspect = (pool: JobPool) => unknown

const perSecond = async (inspect: Inspect): Promise<number> => (1000 * JOBS) / (await flatJobs(inspect)).ms

/** What the pool's own thread needs for a job, in µs of a processor: the same whatever else the machine does. */
const ownTime = async (inspect: Inspect): Promise<number> => (await flatJobs(inspect)).cpuMicroseconds / JOBS

async function flatJobs(inspect: Inspect): Promise<{ ms: number; cpuMicroseconds: number }> {
  const pool = new JobPool({ maxParallelJobs: SLOTS })
  const inspector = (await inspect(pool)) as Inspector | undefined
  const startedAt = performance.now()
  const before = process.threadCpuUsage()
  const results: Promise<unknown>[] = new Array(JOBS)
  for (let index = 0; index < JOBS; index++) {
    const priority = PRIORITIES[index % PRIORITIES.length] ?? 'normal'
    results[index] = pool.submitJob({ execute: noop, priority }).result()
  }
  await Promise.all(results)
  const { user, system } = process.threadCpuUsage(before)
  const ms = performance.now() - startedAt
  await inspector?.close()
  return { ms, cpuMicroseconds: user + system }
}

/** Opens a page's connection, which takes all that comes. */
async function looksOn(pool: JobPool): Promise<{ inspector: Inspector; bytes: () => number }> {
  const inspector = createInspector(pool)
  const { origin } = new URL(await inspector.listen())
  const headers = { authorization: `Bearer ${inspector.token}` }
  const socket = new WebSocket(`${origin.replace('http', 'ws')}/api/feed`, { headers })
  let bytes = 0
  socket.on('message', (data: Buffer, isBinary) => {
    bytes += data.length
    if (isBinary) socket.send(JSON.stringify({ type: 'ack', block: data.readUInt32LE(0) }))
  })
  await once(socket, 'open')
  socket.send(JSON.stringify({ type: 'hello', protocol: PROTOCOL_VERSION }))
  await once(socket, 'message')
  return { inspector, bytes: () => bytes }
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
  const { inspector, bytes } = await looksOn(pool)
  // What comes first, the charts among it, comes once.
  pool.submitJob({ execute: noop })
  await new Promise((resolve) => setTimeout(resolve, TICK_MS * 50))
  const before = bytes()
  let jobs = 0
  for (const startedAt = performance.now(); performance.now() - startedAt < LIVE_MS; ) {
    for (let index = 0; index < JOBS_A_TICK; index++, jobs++) pool.submitJob({ execute: noop })
    await new Promise((resolve) => setTimeout(resolve, TICK_MS))
  }
  await new Promise((resolve) => setTimeout(resolve, TICK_MS * 50))
  const perEvent = (bytes() - before) / (EVENTS_OF_A_JOB * jobs)
  await inspector.close()
  return perEvent
}

/** Submitted, ready, granted, started, completed. */
const EVENTS_OF_A_JOB = 5
