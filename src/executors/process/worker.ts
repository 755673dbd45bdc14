// Runs in each process of the `process` executor.
import type { ChildProcess } from 'node:child_process'
import diagnostics from 'node:diagnostics_channel'
import { LONGEST_TIMER_MS } from '../../domain/timer.ts'
import { BETWEEN_PROCESSES } from '../carrying.ts'
import { packError } from '../packed-error.ts'
import { exit } from '../worker/exit.ts'
import { type Abort, isAbort, type TaskMessage, TaskReader } from '../worker/messages.ts'
import { type Report, toMessage } from '../worker/report.ts'
import { type Gauge, Runner } from '../worker/runner.ts'
import { FrameReader } from './frames.ts'
import { type GoOn, ProcessEnd } from './line.ts'
import { memoryOf } from './memory.ts'
import { spareOutput } from './spare-output.ts'

/** Programs that handlers have started and that have not ended. */
const programs = new Set<ChildProcess>()
const outputs = [spareOutput(process.stdout), spareOutput(process.stderr)]
/** What this process weighs before any handler is loaded: limits do not count it. */
const ownBytes = process.memoryUsage.rss()

/** How long what was read of the resident memory is taken to hold, in ms: reading it takes longer than a short attempt. */
const RESIDENT_MS = 10

/** CPU time is the whole process's. Its peak is exact when it is higher than all before, else the memory at the end. */
const gauge: Gauge & { before: NodeJS.ResourceUsage; begin(): void } = {
  before: process.resourceUsage(),
  begin() {
    this.before = process.resourceUsage()
  },
  end(isLimited) {
    const { before } = this
    const after = process.resourceUsage()
    const cpuMs = (after.userCPUTime - before.userCPUTime + after.systemCPUTime - before.systemCPUTime) / 1000
    this.before = after
    const isNewPeak = after.maxRSS > before.maxRSS
    const peakMemoryBytes = isNewPeak ? after.maxRSS * 1024 : resident.read()
    // What was the peak before an attempt with a limit does not matter: the process would not have been used again.
    const peak = isLimited ? (memoryOf('self')?.peakBytes ?? peakMemoryBytes) : peakMemoryBytes
    return { usage: { cpuMs, peakMemoryBytes }, heldBytes: peak - ownBytes }
  },
}

const resident = {
  bytes: ownBytes,
  at: performance.now(),
  read(): number {
    const now = performance.now()
    if (now - this.at < RESIDENT_MS) return this.bytes
    this.at = now
    this.bytes = process.memoryUsage.rss()
    return this.bytes
  },
}

const refuse = (thrown: unknown) => tell({ kind: 'unread', error: packError(thrown) })
const line = new ProcessEnd<TaskMessage | GoOn>(refuse)
const runner = new Runner({
  carrier: BETWEEN_PROCESSES,
  gauge,
  say: (number, word) => tell({ kind: 'said', number, word }),
  end(outcome) {
    const stdoutBytes = writtenTo(process.stdout)
    const stderrBytes = writtenTo(process.stderr)
    for (const output of outputs) output.attemptEnded()
    tell({ kind: 'ended', outcome, stdoutBytes, stderrBytes })
  },
  exit(code) {
    tell({ kind: 'unfit' })
    exit(code)
  },
  retire: () => tell({ kind: 'unfit' }),
  hasLeftovers: () => programs.size > 0 || !isWhole(),
})

const tasks = new TaskReader()
const reader = new FrameReader<TaskMessage | Abort>((message) => {
  if (isAbort(message)) {
    runner.abort(message)
    return
  }
  gauge.begin()
  run(message)
}, refuse)
const hear = (frame: unknown) => reader.read(frame as Buffer, (frame as Buffer).length)
/** The parent has closed its executor, or is gone; or there is no hearing it any more. */
const end = () => {
  if (runner.context === undefined && programs.size === 0) exit(0)
  process.kill(-process.pid, 'SIGKILL')
}
process.on('message', hear)
process.on('disconnect', end)
diagnostics.subscribe('child_process', (message) => {
  const { process: program } = message as { process: ChildProcess }
  programs.add(program)
  program.once('exit', () => programs.delete(program))
  program.once('error', () => programs.delete(program))
})
/** Only its parent ends this process: handlers may let go of the channel, which else keeps it awake. */
setInterval(() => {}, LONGEST_TIMER_MS)
tell({ kind: 'ready', ownBytes })

/** Runs attempts as long as one follows the other; those that come later are brought by the event loop. */
function run(message: TaskMessage): void {
  void runner.run(tasks.read(message)).then(() => {
    // A process that has only waited is as it was when its last attempt ended: one look does for both.
    const next = line.await()
    if (next === undefined) end()
    else if (next.length > 0) run(next as TaskMessage)
  })
}

/** Whether what this process was started with is still there, and its listeners: handlers may remove all. */
function isWhole(): boolean {
  const isHearing = process.listenerCount('message', hear) > 0 && process.listenerCount('disconnect', end) > 0
  return isHearing && process.connected && outputs.every((output) => output.isWhole())
}

function tell(report: Report): void {
  line.post(toMessage(report))
}

function writtenTo(stream: NodeJS.WriteStream): number {
  return stream.bytesWritten
}
