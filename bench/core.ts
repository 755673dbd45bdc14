import { defineWorkflow, grow, JobPool, node, Orchestrator, PRIORITIES } from 'espalier'
import fastq from 'fastq'
import PQueue from 'p-queue'
import {
  atLeast,
  atMost,
  breathe,
  type Measures,
  measureAll,
  microseconds,
  perSecond,
  type Row,
} from './suite.ts'

const JOBS = 100_000
const SLOTS = 8
const noop = async () => {}

/** How often what is compared with others is measured, each time in a process of its own. */
const TURNS = 3

/** Jobs a second, or microseconds a job; what is compared with each other takes turns. */
const compared = {
  flat: () => perSecond(JOBS, () => flatJobs(JOBS)),
  fastq: () => perSecond(JOBS, fastqJobs),
  pQueue: () => perSecond(JOBS, () => pQueueJobs(false)),
  pQueuePriorities: () => perSecond(JOBS, () => pQueueJobs(true)),
  inspected: () => perSecond(JOBS, inspectedJobs),
  layered: () => perSecond(JOBS, () => layeredJobs(JOBS)),
  grown: () => perSecond(JOBS, () => grownTree(JOBS)),
  million: () => microseconds(10 * JOBS, () => flatJobs(10 * JOBS)),
}

/** Microseconds or bytes a job. */
const others = {
  heapQueued: () => heapPerQueuedJob(10 * JOBS),
  cancel10k: () => timed(JOBS / 10, cancelledChain),
  cancel100k: () => timed(JOBS, cancelledChain),
  fanIn10k: () => timed(JOBS / 10, fanIn),
  fanIn100k: () => timed(JOBS, fanIn),
  chain10k: () => timed(JOBS / 10, chain),
  chain100k: () => timed(JOBS, chain),
}

export const measures = { ...compared, ...others } satisfies Measures

/** The bars of the pool and the orchestrator in memory, against bare queues in the same run. */
export async function core(progress: (what: string) => void): Promise<Row[]> {
  const turned = await measureAll('core', compared, progress, TURNS)
  const { flat, fastq, pQueue, pQueuePriorities, inspected, layered, grown, million } = turned
  const once = await measureAll('core', others, progress)
  const { heapQueued, cancel10k, cancel100k, fanIn10k, fanIn100k, chain10k, chain100k } = once
  return [
    atLeast('flat/fastq', 'no-op jobs, four priorities, beside fastq', flat, fastq, 0.6),
    atLeast('flat/p-queue', 'the same, beside p-queue without priorities', flat, pQueue, 1),
    atLeast(
      'flat/p-queue-priorities',
      'the same, beside p-queue with priorities',
      flat,
      pQueuePriorities,
      2.5,
    ),
    atLeast('inspected', 'the same with an observer that counts, beside without', inspected, flat, 0.5),
    atLeast('layers', 'layers of 100, two dependencies each, beside flat', layered, flat, 0.6),
    atLeast('tree', 'a tree grown to 100k nodes, beside fastq', grown, fastq, 0.2),
    atMost(
      'million/time',
      '1M jobs, time a job beside that at 100k',
      million,
      flat.map((rate) => 1e6 / rate),
      1.3,
      'µs',
    ),
    atMost('million/heap', '1M queued jobs, heap a job beside 500 bytes', heapQueued, 500, 1, 'bytes'),
    atMost('cancel', 'cancelling a chain, time a job at 100k beside 10k', cancel100k, cancel10k, 1.5, 'µs'),
    atMost('fan-in', 'a fan-in, time a job at 100k beside 10k', fanIn100k, fanIn10k, 1.5, 'µs'),
    atMost('chain', 'a chain, time a job at 100k beside 10k', chain100k, chain10k, 1.5, 'µs'),
  ]
}

async function flatJobs(jobs: number, options: ConstructorParameters<typeof JobPool>[0] = {}): Promise<void> {
  const pool = new JobPool({ maxParallelJobs: SLOTS, ...options })
  const results: Promise<unknown>[] = new Array(jobs)
  for (let index = 0; index < jobs; index++) {
    const priority = PRIORITIES[index % PRIORITIES.length] ?? 'normal'
    results[index] = pool.submitJob({ execute: noop, priority }).result()
  }
  await Promise.all(results)
}

async function fastqJobs(): Promise<void> {
  const queue = fastq.promise(noop, SLOTS)
  const results: Promise<unknown>[] = new Array(JOBS)
  for (let index = 0; index < JOBS; index++) results[index] = queue.push(index)
  await Promise.all(results)
}

async function pQueueJobs(hasPriorities: boolean): Promise<void> {
  const queue = new PQueue({ concurrency: SLOTS })
  const results: Promise<unknown>[] = new Array(JOBS)
  for (let index = 0; index < JOBS; index++) {
    results[index] = hasPriorities ? queue.add(noop, { priority: index % 4 }) : queue.add(noop)
  }
  await Promise.all(results)
}

/** Layers of 100 jobs, each depending on two of the layer before. */
async function layeredJobs(jobs: number): Promise<void> {
  const WIDTH = 100
  const pool = new JobPool({ maxParallelJobs: SLOTS })
  const results: Promise<unknown>[] = new Array(jobs)
  let above: string[] = []
  let layer: string[] = []
  for (let index = 0; index < jobs; index++) {
    const place = index % WIDTH
    if (place === 0) {
      above = layer
      layer = []
    }
    const first = above[place]
    const second = above[(place + 1) % WIDTH]
    const dependencies = first === undefined || second === undefined ? [] : [first, second]
    const job = pool.submitJob({ execute: noop, dependencies })
    layer.push(job.id)
    results[index] = job.result()
  }
  await Promise.all(results)
}

async function grownTree(nodes: number): Promise<void> {
  const workflow = defineWorkflow({
    name: 'bench',
    handlers: { noop },
    limits: { maxNodes: nodes, maxDepth: 1_000 },
    root: () => node({ handler: 'noop' }),
    expand: () => grow([node({ handler: 'noop' }), node({ handler: 'noop' })]),
  })
  const pool = new JobPool({ maxParallelJobs: SLOTS })
  const outcome = await new Orchestrator(workflow, { pool }).run()
  if (outcome.metrics.nodes !== nodes)
    throw new Error(`Expected ${nodes} nodes, but ${outcome.metrics.nodes} grew.`)
}

async function inspectedJobs(): Promise<void> {
  let events = 0
  await flatJobs(JOBS, {
    inspect: () => {
      events++
    },
  })
  if (events < JOBS) throw new Error(`Expected every job to be inspected, but saw ${events} events.`)
}

async function heapPerQueuedJob(jobs: number): Promise<number> {
  const pool = new JobPool({ maxParallelJobs: SLOTS })
  pool.pause()
  await breathe()
  const before = process.memoryUsage().heapUsed
  for (let index = 0; index < jobs; index++) pool.submitJob({ execute: noop })
  await breathe()
  const used = process.memoryUsage().heapUsed - before
  if (pool.getStatus().queued !== jobs) throw new Error('Expected all jobs to be queued still.')
  await pool.shutdown({ wait: false })
  return used / jobs
}

/** Prepares, and returns what is to be timed. */
type Work = (jobs: number) => Promise<() => Promise<void>>

async function timed(jobs: number, work: Work): Promise<number> {
  const run = await work(jobs)
  await breathe()
  return microseconds(jobs, run)
}

/** A root, and a chain of all others below it: cancelled while they are queued. */
async function cancelledChain(jobs: number): Promise<() => Promise<void>> {
  const pool = new JobPool({ maxParallelJobs: SLOTS })
  pool.pause()
  submitChain(pool, jobs)
  return async () => {
    pool.cancelJob('0')
    const { cancelled } = pool.getStatus()
    if (cancelled !== jobs) throw new Error(`Expected ${jobs} cancelled jobs, but ${cancelled} are.`)
  }
}

async function chain(jobs: number): Promise<() => Promise<void>> {
  const pool = new JobPool({ maxParallelJobs: SLOTS })
  pool.pause()
  submitChain(pool, jobs)
  return async () => {
    pool.resume()
    await pool.waitForAll()
  }
}

function submitChain(pool: JobPool, jobs: number): void {
  pool.submitJob({ id: '0', execute: noop })
  for (let index = 1; index < jobs; index++) {
    pool.submitJob({ id: String(index), execute: noop, dependencies: [String(index - 1)] })
  }
}

async function fanIn(jobs: number): Promise<() => Promise<void>> {
  const pool = new JobPool({ maxParallelJobs: SLOTS })
  pool.pause()
  return async () => {
    const dependencies = Array.from({ length: jobs - 1 }, () => pool.submitJob({ execute: noop }).id)
    const last = pool.submitJob({ execute: noop, dependencies })
    pool.resume()
    await last.value()
  }
}
