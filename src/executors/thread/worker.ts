// Runs in each thread of the `thread` executor: Piscina calls the default export once, with its end of the line.
import { StringDecoder } from 'node:string_decoder'
import { getHeapStatistics } from 'node:v8'
import type { OutputStream } from '../../domain/job.ts'
import { BETWEEN_THREADS } from '../carrying.ts'
import { packError } from '../packed-error.ts'
import { exit } from '../worker/exit.ts'
import { type Abort, isAbort, type TaskMessage, TaskReader } from '../worker/messages.ts'
import { type Report, toMessage } from '../worker/report.ts'
import { type Gauge, Runner } from '../worker/runner.ts'
import { FROM_THREAD, type Line, post, Receiver } from './line.ts'

const ownBytes = heldBytes()

/** CPU time is the thread's own; memory is its heap and its buffers, looked at when an attempt begins and ends. */
const gauge: Gauge & { cpu: NodeJS.CpuUsage; held: number; look(): void } = {
  cpu: process.threadCpuUsage(),
  held: ownBytes,
  look() {
    this.cpu = process.threadCpuUsage()
    this.held = heldBytes()
  },
  end() {
    const { cpu, held } = this
    this.look()
    const cpuMs = (this.cpu.user - cpu.user + this.cpu.system - cpu.system) / 1000
    const peakMemoryBytes = Math.max(held, this.held)
    return { usage: { cpuMs, peakMemoryBytes }, heldBytes: peakMemoryBytes - ownBytes }
  },
}

/**
 * Takes attempts from a line.
 *
 * No default export, which Piscina would find by itself: Node ends the whole process when a thread is terminated just as it
 * requires a module that has one.
 */
export function serve(line: Line): void {
  const tell = (report: Report, moved: readonly object[] = []) =>
    post(line, FROM_THREAD, toMessage(report), moved)
  const runner = new Runner({
    carrier: BETWEEN_THREADS,
    gauge,
    say: (number, word) => tell({ kind: 'said', number, word }),
    end: (outcome, moved) => tell({ kind: 'ended', outcome }, moved),
    exit,
    retire: () => tell({ kind: 'unfit' }),
    // An attempt may have ended them, as `pipeline` does.
    hasLeftovers: () => !(process.stdout.writable && process.stderr.writable),
  })
  const refuse = (thrown: unknown) => tell({ kind: 'unread', error: packError(thrown) })
  const tasks = new TaskReader()
  const receiver = new Receiver<TaskMessage | Abort>(
    line,
    (message, wasAwaited) => {
      if (isAbort(message)) {
        runner.abort(message)
        return
      }
      // A thread that has only waited is as it was when its last attempt ended: one look does for both.
      if (!wasAwaited) gauge.look()
      void runner.run(tasks.read(message)).then(() => receiver.await())
    },
    refuse,
  )
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
