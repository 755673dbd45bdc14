import type { ChildProcess } from 'node:child_process'
import { StringDecoder } from 'node:string_decoder'
import { fileURLToPath } from 'node:url'
import { execaNode } from 'execa'
import type { OutputStream } from '../../domain/job.ts'
import { packError } from '../packed-error.ts'
import { groupEnd, signalGroup } from '../process-group.ts'
import type { Watchdog } from '../watchdog.ts'
import type { Abort, Task } from '../worker/messages.ts'
import type { PooledWorker, WorkerListener } from '../worker/pooled-worker.ts'
import type { Report } from '../worker/report.ts'
import { afterGrace, type Force, type RunningTask } from '../worker/running.ts'
import { memoryOf } from './memory.ts'

export interface ChildOptions {
  readonly env?: NodeJS.ProcessEnv
  readonly execArgv?: readonly string[]
  /** Ends the process when this one dies. */
  readonly watchdog: Watchdog
}

/** What execa starts: Node's own ChildProcess, which is also a promise of its end. */
type Subprocess = ChildProcess & PromiseLike<{ readonly shortMessage?: string }>

/** How long the last output of an ended process may take to arrive. */
const OUTPUT_MS = 500
/** How long a process may take to end when nothing runs in it. */
const CLOSE_MS = 1_000
const MIB = 2 ** 20
/** What Node's own part of the heap may take, for V8's limit. */
const OWN_HEAP_MIB = 32
const TAIL_LENGTH = 4_096

/** A process of the `process` executor, seen from its parent. */
export class Child implements PooledWorker {
  readonly memoryLimitBytes: number | undefined
  readonly exited: Promise<void>
  readonly #watchdog: Watchdog
  readonly #listener: WorkerListener
  readonly #subprocess: Subprocess
  readonly #read = { stdout: 0, stderr: 0 }
  #running: RunningTask | undefined
  /** What it weighs by itself; unknown until it is ready. */
  #ownBytes: number | undefined
  /** The end of an attempt whose output has not all been read. */
  #ending: Extract<Report, { kind: 'ended' }> | undefined
  #stderrTail = ''
  #isUnfit = false
  /** Whether it was asked to end by itself. */
  #isClosing = false

  constructor(memoryLimitBytes: number | undefined, options: ChildOptions, listener: WorkerListener) {
    this.#watchdog = options.watchdog
    this.#listener = listener
    this.memoryLimitBytes = memoryLimitBytes
    const subprocess = spawn(memoryLimitBytes, options)
    this.#subprocess = subprocess
    if (subprocess.pid !== undefined) this.#watchdog.guard(subprocess.pid)
    this.#capture('stdout')
    this.#capture('stderr')
    subprocess.on('message', (report) => this.#hear(report as Report))
    // Without its channel nothing can come of it.
    subprocess.on('disconnect', () => !this.#isClosing && this.#endGroup())
    this.exited = new Promise((resolve) => {
      const ended = (how: string) => resolve(this.#ended(how))
      subprocess.once('exit', (code, signal) =>
        ended(
          signal === null ? `exited with code ${code} before it had a result` : `was killed by ${signal}`,
        ),
      )
      if (subprocess.pid === undefined)
        void subprocess.then(({ shortMessage }) => ended(`did not start: ${shortMessage}`))
    })
    this.#unref()
  }

  get pid(): number | undefined {
    return this.#subprocess.pid
  }

  get running(): RunningTask | undefined {
    return this.#running
  }

  run(running: RunningTask, task: Task): void {
    this.#running = running
    // One that did not start tells so by its end.
    if (this.pid === undefined) return
    const { channel } = this.#subprocess
    this.#subprocess.ref()
    channel?.ref()
    try {
      this.#subprocess.send(task, ignore)
    } catch (thrown) {
      this.#rest()
      running.reject(thrown as Error)
    }
  }

  stop(running: RunningTask, killGraceMs: number): void {
    const { number, attempt } = running
    const abort: Abort = { number, reason: packError(attempt.signal.reason) }
    this.#subprocess.send(abort, ignore)
    running.timer = afterGrace(killGraceMs, () => this.#force(running, 'stopped'))
  }

  look(): void {
    const running = this.#running
    const { pid } = this
    const memory = running === undefined || pid === undefined ? undefined : memoryOf(pid)
    if (memory === undefined || running === undefined) return
    running.seen(memory.residentBytes)
    const { memoryLimitBytes: limit } = this
    if (limit === undefined || this.#ownBytes === undefined) return
    const seenBytes = memory.peakBytes - this.#ownBytes
    if (seenBytes > limit) this.#force(running, 'memory', seenBytes)
  }

  async close(): Promise<void> {
    this.#retire()
    this.#isClosing = true
    if (this.#running !== undefined) this.#force(this.#running, 'stopped')
    else if (this.#subprocess.connected) this.#subprocess.disconnect()
    const timer = setTimeout(() => this.#endGroup(), CLOSE_MS)
    await this.exited
    clearTimeout(timer)
  }

  #force(running: RunningTask, reason: Force, seenBytes?: number): void {
    if (this.#running !== running) return
    running.force(reason, seenBytes)
    this.#endGroup()
  }

  /** Ends the process and all that it has started and that has not left its group. */
  #endGroup(): void {
    const { pid } = this
    if (pid === undefined) return
    this.#retire()
    signalGroup(pid, 'SIGKILL')
  }

  #hear(report: Report): void {
    switch (report.kind) {
      case 'ready':
        this.#ownBytes = report.ownBytes
        return
      case 'said':
        if (this.#running?.number === report.number) this.#running.hear(report.word)
        return
      case 'ended':
        this.#ending = report
        if (this.#isRead(report)) this.#finish()
        else setTimeout(() => this.#ending === report && this.#finish(), OUTPUT_MS)
        return
      case 'unfit':
        this.#retire()
        if (this.#running === undefined) void this.close()
        return
    }
  }

  #isRead({ stdoutBytes = 0, stderrBytes = 0 }: Extract<Report, { kind: 'ended' }>): boolean {
    return this.#read.stdout >= stdoutBytes && this.#read.stderr >= stderrBytes
  }

  #finish(): void {
    const running = this.#running
    const outcome = this.#ending?.outcome
    this.#ending = undefined
    this.#rest()
    if (outcome !== undefined) running?.report(outcome)
  }

  /** Ready for another attempt, unless it is unfit. */
  #rest(): void {
    this.#running = undefined
    this.#unref()
    if (this.#isUnfit) void this.close()
    else this.#listener.onIdle(this)
  }

  #retire(): void {
    if (this.#isUnfit) return
    this.#isUnfit = true
    this.#listener.onUnfit(this)
  }

  async #ended(how: string): Promise<void> {
    const { stdout, stderr } = this.#subprocess
    this.#endGroup()
    if (this.pid !== undefined) {
      await groupEnd(this.pid)
      this.#watchdog.release(this.pid)
    }
    await Promise.race([Promise.all([closed(stdout), closed(stderr)]), after(OUTPUT_MS)])
    const running = this.#running
    this.#running = undefined
    running?.reportEnd(`its process ${how}`, this.#stderrTail.includes('heap out of memory'))
  }

  #capture(name: OutputStream): void {
    const stream = this.#subprocess[name]
    const decoder = new StringDecoder('utf8')
    stream?.on('data', (bytes: Buffer) => {
      this.#read[name] += bytes.length
      const chunk = decoder.write(bytes)
      if (name === 'stderr') this.#stderrTail = (this.#stderrTail + chunk).slice(-TAIL_LENGTH)
      this.#running?.hear({ kind: 'output', stream: name, chunk })
      if (this.#ending !== undefined && this.#isRead(this.#ending)) this.#finish()
    })
  }

  /** An idle process does not keep this one awake. */
  #unref(): void {
    const { channel, stdout, stderr } = this.#subprocess
    this.#subprocess.unref()
    channel?.unref()
    for (const stream of [stdout, stderr]) (stream as { unref?(): void } | null)?.unref?.()
  }
}

function spawn(memoryLimitBytes: number | undefined, { env, execArgv }: ChildOptions): Subprocess {
  const nodeOptions = [...(execArgv ?? inheritedOptions())]
  if (memoryLimitBytes !== undefined)
    nodeOptions.push(`--max-old-space-size=${Math.ceil(memoryLimitBytes / MIB) + OWN_HEAP_MIB}`)
  return execaNode(fileURLToPath(import.meta.url).replace(/child(\.\w+)$/, 'worker$1'), {
    nodeOptions,
    serialization: 'advanced',
    // Node's own channel: with `ipc`, execa would read each message a second time.
    ipc: false,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    buffer: false,
    reject: false,
    // A group of its own, so that all of it can be ended; execa's clean-up knows only the process itself.
    detached: true,
    cleanup: false,
    ...(env === undefined ? {} : { env, extendEnv: false }),
  }) as unknown as Subprocess
}

/** This process's options, without those that are for it alone. */
function inheritedOptions(): string[] {
  const options: string[] = []
  for (let index = 0; index < process.execArgv.length; index++) {
    const option = process.execArgv[index] ?? ''
    if (/^(-e|--eval|-p|--print|-pe)$/.test(option)) index++
    else if (!/^--(inspect|watch|test|input-type)/.test(option)) options.push(option)
  }
  return options
}

function closed(stream: NodeJS.ReadableStream | null): Promise<void> {
  if (stream === null || (stream as { closed?: boolean }).closed) return Promise.resolve()
  return new Promise((resolve) => stream.once('close', () => resolve()))
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}

const ignore = (): void => {}
