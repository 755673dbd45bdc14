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
  measureAll,
  microseconds,
  perSecond,
  type Row,
} from './suite.ts'

const THREAD_JOBS = 20_000
const PROCESS_JOBS = 20_000
const BURNS = 20
const TRANSFERS = 2_000
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

/** Jobs a second, or microseconds a job. */
export const measures = {
  thread: () => inPool({ executorType: 'thread' }, THREAD_JOBS, noop),
  piscina: piscinaTasks,
  process: () => inPool({ executorType: 'process' }, PROCESS_JOBS, noop),
  execa: execaMessages,
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
  transferred: () => handedOver(BUFFER_BYTES),
  empty: () => handedOver(0),
} satisfies Measures

/** How executors do beside what they stand on, and on two cores beside one. */
export async function executors(progress: (what: string) => void): Promise<Row[]> {
  const figures = await measureAll('executors', measures, progress, TURNS)
  const { thread, piscina, process: inProcess, execa } = figures
  const { threadOne, threadTwo, processOne, processTwo, transferred, empty } = figures
  const { awkOne, awkTwo, bareAwkOne, bareAwkTwo, nodeOne, nodeTwo, bareNodeOne, bareNodeTwo } = figures
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

/** Jobs a second in a pool whose threads or processes run already. */
async function inPool(options: JobPoolOptions, jobs: number, execute: Execute): Promise<number> {
  await using pool = new JobPool({ maxParallelJobs: SLOTS, pressure: false, ...options })
  const submit = () => pool.submitJob({ execute }).value()
  await Promise.all(Array.from({ length: 2 * SLOTS }, submit))
  return await perSecond(jobs, () => Promise.all(Array.from({ length: jobs }, submit)))
}

async function piscinaTasks(): Promise<number> {
  const filename = fileURLToPath(handlers)
  const piscina = new Piscina({ filename, name: 'noop', minThreads: SLOTS, maxThreads: SLOTS })
  const run = () => piscina.run(undefined)
  await Promise.all(Array.from({ length: 2 * SLOTS }, run))
  const figure = await perSecond(THREAD_JOBS, () => Promise.all(Array.from({ length: THREAD_JOBS }, run)))
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

/** A message there and one back, by Node's own `send`: what the process executor uses of execa's processes. */
async function execaMessages(): Promise<number> {
  const script = fileURLToPath(new URL('./echo.ts', import.meta.url))
  const children = Array.from({ length: SLOTS }, () => {
    const child = execaNode(script, {
      // As the executor starts its own: the system shares its time among sessions first.
      ...{ detached: true, cleanup: false, buffer: false, reject: false },
      ...{ ipc: false, stdio: ['ignore', 'pipe', 'pipe', 'ipc'], serialization: 'advanced' },
    })
    return { child, ask: (message: object) => ask(child, message) }
  })
  await Promise.all(children.map(({ ask }) => ask({})))
  let left = PROCESS_JOBS
  const work = async ({ ask }: (typeof children)[number]) => {
    while (left-- > 0) await ask({ number: left, module: handlers, export: 'noop', jobId: String(left) })
  }
  const figure = await perSecond(PROCESS_JOBS, () => Promise.all(children.map(work)))
  for (const { child } of children) child.kill('SIGKILL')
  await Promise.all(children.map(({ child }) => child))
  return figure
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

/**
 * Microseconds a job that gets a buffer of this size and gives it back, moved both ways.
 *
 * A few buffers go back and forth: what making and freeing them takes is not part of handing them over.
 */
async function handedOver(bytes: number): Promise<number> {
  await using pool = new JobPool({ executorType: 'thread', maxParallelJobs: SLOTS, pressure: false })
  const execute: Execute<ArrayBuffer> = { module: handlers, export: 'passBack' }
  const pass = (buffer: ArrayBuffer) =>
    pool.submitJob<ArrayBuffer>({ execute, args: [buffer], transfer: [buffer] }).value()
  const passOften = async (times: number) => {
    let buffer = new ArrayBuffer(bytes)
    for (let time = 0; time < times; time++) buffer = await pass(buffer)
  }
  await Promise.all(Array.from({ length: SLOTS }, () => passOften(2)))
  return await microseconds(TRANSFERS, () =>
    Promise.all(Array.from({ length: SLOTS }, () => passOften(TRANSFERS / SLOTS))),
  )
}
