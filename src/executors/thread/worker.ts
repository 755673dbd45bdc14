// Runs in each thread of the `thread` executor: Piscina calls the default export once for each attempt.
import { StringDecoder } from 'node:string_decoder'
import { getHeapStatistics } from 'node:v8'
import { MessageChannel, parentPort, threadId } from 'node:worker_threads'
import type { OutputStream } from '../../domain/job.ts'
import type { Abort, Outcome, Said, Task } from '../worker/messages.ts'
import { type Gauge, Runner } from '../worker/runner.ts'

/** What a thread introduces itself with. */
export interface Introduction {
  readonly threadId: number
  readonly port: import('node:worker_threads').MessagePort
  /** One number: the attempt that runs, or 0. It can be read while the thread is too busy to answer. */
  readonly current: Int32Array
  /** What the thread holds by itself, before any handler is loaded: limits do not count it. */
  readonly ownBytes: number
}

if (parentPort === null) throw new Error('Expected to run in a thread of the thread executor.')

const { port1: port, port2 } = new MessageChannel()
const current = new Int32Array(new SharedArrayBuffer(4))
const ownBytes = heldBytes()

/** CPU time is the thread's own; memory is its heap and its buffers, looked at when an attempt begins and ends. */
const gauge: Gauge & { cpu: NodeJS.CpuUsage; held: number } = {
  cpu: process.threadCpuUsage(),
  held: 0,
  begin() {
    this.cpu = process.threadCpuUsage()
    this.held = heldBytes()
  },
  end() {
    const { user, system } = process.threadCpuUsage(this.cpu)
    const peakMemoryBytes = Math.max(this.held, heldBytes())
    return { cpuMs: (user + system) / 1000, peakMemoryBytes, heldBytes: peakMemoryBytes - ownBytes }
  },
}

const runner = new Runner({
  gauge,
  say: (number, word) => port.postMessage({ number, word } satisfies Said),
  exit: (code) => process.exit(code),
})

port.on('message', (abort: Abort) => runner.abort(abort))
port.unref()
capture('stdout')
capture('stderr')
parentPort.postMessage({ threadId, port: port2, current, ownBytes } satisfies Introduction, [port2])

export default async function run(task: Task): Promise<Outcome | undefined> {
  Atomics.store(current, 0, task.number)
  const outcome = await runner.run(task)
  Atomics.store(current, 0, 0)
  return outcome
}

function heldBytes(): number {
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics()
  return heap + external
}

/** What is written to a standard stream goes to the attempt that runs; nobody else hears it. */
function capture(name: OutputStream): void {
  const decoder = new StringDecoder('utf8')
  const stream = process[name]
  stream.write = (chunk: unknown, ...more: unknown[]): boolean => {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk, encodingOf(more[0])) : (chunk as Uint8Array)
    runner.context?.write(name, decoder.write(Buffer.from(bytes)))
    const written = more.at(-1)
    if (typeof written === 'function') process.nextTick(written as () => void)
    return true
  }
}

function encodingOf(given: unknown): BufferEncoding {
  return typeof given === 'string' && Buffer.isEncoding(given) ? given : 'utf8'
}
