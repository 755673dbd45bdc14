import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { type Execute, JobPool, type JobPoolOptions } from 'espalier'
import { execaNode } from 'execa'
import { Piscina } from 'piscina'
import {
  atLeast,
  atMost,
  beside,
  type Measures,
  microseconds,
  perSecond,
  type Row,
  turnsOf,
} from './suite.ts'

const THREAD_JOBS = 20_000
const PROCESS_JOBS = 20_000
const BURNS = 20
const TRANSFERS = 10_000
const BUFFER_BYTES = 8 * 1024 ** 2
const SLOTS = 2
const COMMANDS = 12
/** Compute for some 150 ms, always as much; awk begins at once, Node after 40 ms. */
const AWK_PROGRAM = 'BEGIN { for (i = 0; i < 4000000; i++) sum += sqrt(i); print sum }'
const NODE_PROGRAM = `
  const burn = () => {
    let sum = 0
    for (let index = 0; index < 5e7; index++) sum += Math.sqrt(index)
    return sum
  }
  console.log(burn())`

const handlers = new URL('./executor-handlers.ts', import.meta.url).href
const noop: Execute = { module: handlers, export: 'noop' }
const burn: Execute = { module: handlers, export: 'burn' }
const awk = { command: 'awk', args: [AWK_PROGRAM] }
const node = { command: process.execPath, args: ['-e', NODE_PROGRAM] }

/** How often each is measured, in a process of its own and in turn: threads and processes fall into paces of their own. */
const TURNS = 3
/** Of those whose ratio is that of two paces: their rounds take less than a second. */
const SHORT_TURNS = 9

/** Jobs a second, or microseconds a job. */
export const measures = {
  thread: lasting(
    () => startPool({ executorType: 'thread' }, noop),
    (pool) => rateOf(pool, THREAD_JOBS, noop),
  ),
  piscina: lasting(startPiscina, piscinaRate),
  process: lasting(
    () => startPool({ executorType: 'process' }, noop),
    (pool) => rateOf(pool, PROCESS_JOBS, noop),
  ),
  execa: lasting(startEchoes, echoRate),
  threadFresh: () => inPool({ executorType: 'thread' }, THREAD_JOBS, noop),
  piscinaFresh: inPiscina,
  processFresh: () => inPool({ executorType: 'process' }, PROCESS_JOBS, noop),
  execaFresh: inEchoes,
  threadOne: () => inPool({ executorType: 'thread', maxParallelJobs: 1 }, BURNS, burn),
  threadTwo: () => inPool({ executorType: 'thread' }, BURNS, burn),
  processOne: () => inPool({ executorType: 'process', maxParallelJobs: 1 }, BURNS, burn),
  processTwo: () => inPool({ executorType: 'process' }, BURNS, burn),
  awkOne: () => inPool({ executorType: 'command', maxParallelJobs: 1 }, COMMANDS, awk),
  awkTwo: () => inPool({ executorType: 'command' }, COMMANDS, awk),
  bareAwkOne: () => spawned(awk, 1),
  bareAwkTwo: () => spawned(awk, SLOTS),
  nodeOne: () => inPool({ executorType: 'command', maxParallelJobs: 1 }, COMMANDS, node),
  nodeTwo: () => inPool({ executorType: 'command' }, COMMANDS, node),
  bareNodeOne: () => spawned(node, 1),
  bareNodeTwo: () => spawned(node, SLOTS),
  transferred: lasting(startThreads, (pool) => handOver(pool, BUFFER_BYTES)),
  empty: lasting(startThreads, (pool) => handOver(pool, 0)),
} satisfies Measures

/** How executors do beside what they stand on, and on two cores beside one. */
export async function executors(progress: (what: string) => void): Promise<Row[]> {
  const inTurns = turnsOf('executors', measures, progress, TURNS)
  const inShortTurns = turnsOf('executors', measures, progress, SHORT_TURNS)
  const { thread, piscina } = await inShortTurns('thread', 'piscina')
  const { process: inProcess, execa } = await inShortTurns('process', 'execa')
  const { threadFresh, piscinaFresh } = await inTurns('threadFresh', 'piscinaFresh')
  const { processFresh, execaFresh } = await inTurns('processFresh', 'execaFresh')
  const { threadOne, threadTwo } = await inTurns('threadOne', 'threadTwo')
  const { processOne, processTwo } = await inTurns('processOne', 'processTwo')
  const { awkOne, awkTwo, bareAwkOne, bareAwkTwo } = await inTurns(
    'awkOne',
    'awkTwo',
    'bareAwkOne',
    'bareAwkTwo',
  )
  const { nodeOne, nodeTwo, bareNodeOne, bareNodeTwo } = await inTurns(
    'nodeOne',
    'nodeTwo',
    'bareNodeOne',
    'bareNodeTwo',
  )
  const { transferred, empty } = await inShortTurns('transferred', 'empty')
  return [
    atLeast(
      'thread/piscina',
      'no-op jobs on 2 threads, beside Piscina called directly',
      thread,
      piscina,
      0.9,
    ),
    atLeast(
      'process/execa',
      'no-op jobs on 2 processes, beside the messages of its processes',
      inProcess,
      execa,
      0.9,
    ),
    beside('thread/fresh', 'the same on threads that have just started', threadFresh, piscinaFresh),
    beside('process/fresh', 'the same on processes that have just started', processFresh, execaFresh),
    atLeast('thread/cores', 'CPU-bound jobs on 2 threads, beside 1', threadTwo, threadOne, 1.9),
    atLeast('process/cores', 'CPU-bound jobs on 2 processes, beside 1', processTwo, processOne, 1.9),
    atLeast('command/cores', 'CPU-bound commands (awk), two at a time beside one', awkTwo, awkOne, 1.9),
    beside('spawn/awk', 'the same by bare `spawn`, without a pool', bareAwkTwo, bareAwkOne),
    beside('command/node', 'commands that start Node first, two at a time beside one', nodeTwo, nodeOne),
    beside('spawn/node', 'the same by bare `spawn`, without a pool', bareNodeTwo, bareNodeOne),
    atMost(
      'thread/transfer',
      '8 MiB handed to a thread and back, beside an empty buffer',
      transferred,
      empty,
      1.2,
      'µs',
    ),
  ]
}

/**
 * A measure of what lasts from round to round, as a service's pool does: its threads and processes, too, are warm after the
 * rounds that do not count.
 */
function lasting<Thing>(
  start: () => Promise<Thing>,
  measure: (thing: Thing) => Promise<number>,
): () => Promise<number> {
  let started: Promise<Thing> | undefined
  return async () => {
    started ??= start()
    return await measure(await started)
  }
}

/** A pool whose threads or processes run. */
async function startPool(options: JobPoolOptions, execute: Execute): Promise<JobPool> {
  const pool = new JobPool({ maxParallelJobs: SLOTS, pressure: false, ...options })
  await Promise.all(Array.from({ length: 2 * SLOTS }, () => pool.submitJob({ execute }).value()))
  return pool
}

/** Jobs a second. */
async function rateOf(pool: JobPool, jobs: number, execute: Execute): Promise<number> {
  const submit = () => pool.submitJob({ execute }).value()
  return await perSecond(jobs, () => Promise.all(Array.from({ length: jobs }, submit)))
}

async function inPool(options: JobPoolOptions, jobs: number, execute: Execute): Promise<number> {
  await using pool = await startPool(options, execute)
  return await rateOf(pool, jobs, execute)
}

async function startPiscina(): Promise<Piscina> {
  const filename = fileURLToPath(handlers)
  const piscina = new Piscina({ filename, name: 'noop', minThreads: SLOTS, maxThreads: SLOTS })
  await Promise.all(Array.from({ length: 2 * SLOTS }, () => piscina.run(undefined)))
  return piscina
}

async function piscinaRate(piscina: Piscina): Promise<number> {
  const run = () => piscina.run(undefined)
  return await perSecond(THREAD_JOBS, () => Promise.all(Array.from({ length: THREAD_JOBS }, run)))
}

async function inPiscina(): Promise<number> {
  const piscina = await startPiscina()
  const figure = await piscinaRate(piscina)
  await piscina.destroy()
  return figure
}

/** Commands a second by `spawn` alone, so many at a time. */
async function spawned({ command, args }: typeof awk, atOnce: number): Promise<number> {
  let left = COMMANDS
  const work = async () => {
    while (left-- > 0) await once(spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] }), 'close')
  }
  return await perSecond(COMMANDS, () => Promise.all(Array.from({ length: atOnce }, work)))
}

/** Processes that send back what they are sent, by Node's own `send`: what the process executor uses of execa's processes. */
async function startEchoes(): Promise<Echo[]> {
  const script = fileURLToPath(new URL('./echo.ts', import.meta.url))
  const children = Array.from({ length: SLOTS }, () => {
    const child = execaNode(script, {
      // As the executor starts its own: the system shares its time among sessions first.
      ...{ detached: true, cleanup: false, buffer: false, reject: false },
      ...{ ipc: false, stdio: ['ignore', 'pipe', 'pipe', 'ipc'], serialization: 'advanced' },
    })
    const end = async () => {
      child.kill('SIGKILL')
      await child
    }
    return { ask: (message: object) => ask(child, message), end }
  })
  process.once('disconnect', () => children.map(({ end }) => end()))
  await Promise.all(children.map(({ ask }) => ask({})))
  return children
}

/** Messages a second. */
async function echoRate(echoes: readonly Echo[]): Promise<number> {
  let left = PROCESS_JOBS
  const work = async ({ ask }: Echo) => {
    while (left-- > 0) await ask({ number: left, module: handlers, export: 'noop', jobId: String(left) })
  }
  return await perSecond(PROCESS_JOBS, () => Promise.all(echoes.map(work)))
}

async function inEchoes(): Promise<number> {
  const echoes = await startEchoes()
  const figure = await echoRate(echoes)
  await Promise.all(echoes.map(({ end }) => end()))
  return figure
}

interface Echo {
  /** Sends a message; resolves when it is back. */
  ask(message: object): Promise<unknown>
  end(): Promise<void>
}

interface Talking {
  once(event: 'message', listener: (answer: unknown) => void): unknown
  send(message: object): unknown
}

function ask(child: Talking, message: object): Promise<unknown> {
  return new Promise((resolve) => {
    child.once('message', resolve)
    child.send(message)
  })
}

/** A pool whose threads run, and have taken and given buffers. */
async function startThreads(): Promise<JobPool> {
  const pool = await startPool({ executorType: 'thread' }, noop)
  await handOver(pool, BUFFER_BYTES)
  return pool
}

/**
 * Microseconds a job that gets a buffer of this size and gives it back, moved both ways.
 *
 * A few buffers go back and forth: what making and freeing them takes is not part of handing them over.
 */
async function handOver(pool: JobPool, bytes: number): Promise<number> {
  const execute: Execute<ArrayBuffer> = { module: handlers, export: 'passBack' }
  const pass = (buffer: ArrayBuffer) =>
    pool.submitJob<ArrayBuffer>({ execute, args: [buffer], transfer: [buffer] }).value()
  const passOften = async (times: number) => {
    let buffer = new ArrayBuffer(bytes)
    for (let time = 0; time < times; time++) buffer = await pass(buffer)
  }
  return await microseconds(TRANSFERS, () =>
    Promise.all(Array.from({ length: SLOTS }, () => passOften(TRANSFERS / SLOTS))),
  )
}
