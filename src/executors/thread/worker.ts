// Runs in each thread of the `thread` executor: Piscina calls the default export once, with the port of its attempts.
import { StringDecoder } from 'node:string_decoder'
import { getHeapStatistics } from 'node:v8'
import type { MessagePort } from 'node:worker_threads'
import type { OutputStream } from '../../domain/job.ts'
import type { Abort, Task } from '../worker/messages.ts'
import type { Report } from '../worker/report.ts'
import { type Gauge, Runner } from '../worker/runner.ts'

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

export default function serve(port: MessagePort): void {
  const tell = (report: Report, moved?: readonly object[]) => port.postMessage(report, moved as never)
  const runner = new Runner({
    gauge,
    say: (number, word) => tell({ kind: 'said', number, word }),
    end: (outcome, moved) => tell({ kind: 'ended', outcome }, moved),
    exit: (code) => process.exit(code),
    retire: () => tell({ kind: 'unfit' }),
  })
  port.on('message', (message: Task | Abort) => {
    if ('reason' in message) runner.abort(message)
    else void runner.run(message)
  })
  capture('stdout', runner)
  capture('stderr', runner)
  tell({ kind: 'ready', ownBytes })
}

function heldBytes(): number {
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics()
  return heap + external
}

/** What is written to a standard stream goes to the attempt that runs; nobody else hears it. */
function capture(name: OutputStream, runner: Runner): void {
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
