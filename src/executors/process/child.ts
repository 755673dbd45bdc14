import type { ChildProcess } from 'node:child_process'
import { StringDecoder } from 'node:string_decoder'
import { execaNode } from 'execa'
import type { OutputStream } from '../../domain/job.ts'
import { endGroup, signalGroup } from '../process-group.ts'
import type { Watchdog } from '../watchdog.ts'
import { type Abort, isAbort, type TaskMessage } from '../worker/messages.ts'
import { PooledWorker, type WorkerListener } from '../worker/pooled-worker.ts'
import { type Report, type ReportMessage, toReport } from '../worker/report.ts'
import { frameOf } from './frames.ts'
import { inheritedOptions } from './inherited-options.ts'
import { ExecutorEnd, GO_ON } from './line.ts'
import { memoryOf } from './memory.ts'

export interface ChildOptions {
  /** What the process begins with. */
  readonly file: string
  readonly env?: NodeJS.ProcessEnv
  readonly execArgv?: readonly string[]
  /** Ends the process when this one dies. */
  readonly watchdog: Watchdog
}

/** What execa starts: Node's own ChildProcess, which is also a promise of its end. */
type Subprocess = ChildProcess & PromiseLike<{ readonly shortMessage?: string }>

type Ended = Extract<Report, { kind: 'ended' }>

/** How long the last output of an ended process may take to arrive. */
const OUTPUT_MS = 500
/** How long a process goes from attempt to attempt at most, in ms, before its event loop turns. */
const STRETCH_MS = 10
/** How long a process may take to end when nothing runs in it. */
const CLOSE_MS = 1_000
const MIB = 2 ** 20
/** What Node's own part of the heap may take, for V8's limit. */
const OWN_HEAP_MIB = 32
const TAIL_LENGTH = 4_096

/** A process of the `process` executor, seen from its parent. */
export class Child extends PooledWorker {
  readonly exited: Promise<void>
  readonly #watchdog: Watchdog
  readonly #subprocess: Subprocess
  /** Absent where there is no process: it did not start. */
  readonly #line: ExecutorEnd<ReportMessage> | undefined
  /** Whether it has ended an attempt, and does nothing until it is sent something by the line. */
  #isWaiting = false
  /** Since when it has gone from attempt to attempt. */
  #stretchBeganAt = 0
  readonly #read = { stdout: 0, stderr: 0 }
  /** The end of an attempt whose output has not all been read. */
  #ending: Ended | undefined
  #stderrTail = ''
  /** Whether it was asked to end by itself. */
  #isClosing = false

  constructor(memoryLimitBytes: number | undefined, options: ChildOptions, listener: WorkerListener) {
    super(memoryLimitBytes, listener)
    this.#watchdog = options.watchdog
    const subprocess = spawn(memoryLimitBytes, options)
    this.#subprocess = subprocess
    if (subprocess.pid !== undefined) {
      this.#watchdog.guard(subprocess.pid)
      this.#line = new ExecutorEnd(
        subprocess.stdio,
        (report: ReportMessage) => this.#take(toReport(report)),
        (thrown) => this.garbled('its result', thrown),
      )
    }
    this.#capture('stdout')
    this.#capture('stderr')
    // Without its channel or its line nothing can come of it.
    const cut = () => !this.#isClosing && this.kill()
    subprocess.on('disconnect', cut)
    void this.#line?.closed.then(cut)
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
    this.unref()
  }

  get pid(): number | undefined {
    return this.#subprocess.pid
  }

  look(): void {
    const { pid, running } = this
    const memory = running === undefined || pid === undefined ? undefined : memoryOf(pid)
    if (memory === undefined || running === undefined) return
    running.seen(memory.residentBytes)
    const { memoryLimitBytes: limit, ownBytes } = this
    if (limit === undefined || ownBytes === undefined) return
    const seenBytes = memory.peakBytes - ownBytes
    if (seenBytes > limit) this.force(running, 'memory', seenBytes)
  }

  async close(): Promise<void> {
    this.retire()
    this.#isClosing = true
    if (this.running !== undefined) this.force(this.running, 'stopped')
    else if (this.#subprocess.connected) this.#subprocess.disconnect()
    const timer = setTimeout(() => this.kill(), CLOSE_MS)
    await this.exited
    clearTimeout(timer)
  }

  protected override hand(message: TaskMessage | Abort): void {
    // One that did not start tells so by its end.
    if (this.pid === undefined) return
    if (this.#isWaiting && !isAbort(message)) {
      if (performance.now() - this.#stretchBeganAt < STRETCH_MS) {
        this.#line?.post(message)
        this.#isWaiting = false
        return
      }
      this.#goOn()
    }
    this.#stretchBeganAt = performance.now()
    // As frames here too, so that what cannot be carried is refused on both ways alike.
    const { bytes, length } = frameOf(message)
    this.#subprocess.send(Buffer.from(bytes.subarray(0, length)), ignore)
  }

  protected override ref(): void {
    this.#subprocess.ref()
    this.#subprocess.channel?.ref()
    this.#line?.ref()
  }

  protected override unref(): void {
    const { channel, stdout, stderr } = this.#subprocess
    this.#subprocess.unref()
    channel?.unref()
    this.#line?.unref()
    for (const stream of [stdout, stderr]) (stream as { unref?(): void } | null)?.unref?.()
  }

  /** Ends the process and all that it has started and that has not left its group. */
  protected override kill(): void {
    const { pid } = this
    if (pid === undefined) return
    this.retire()
    signalGroup(pid, 'SIGKILL')
  }

  protected override onEnded(report: Ended): void {
    this.#ending = report
    if (this.#isRead(report)) this.#finishEnding(report)
    else setTimeout(() => this.#ending === report && this.#finishEnding(report), OUTPUT_MS)
  }

  #take(report: Report): void {
    if (report.kind === 'ended') this.#isWaiting = true
    this.hear(report)
    // What its attempt has left goes on, unless the next attempt has followed at once.
    if (this.#isWaiting) setImmediate(() => this.#goOn())
  }

  #goOn(): void {
    if (!this.#isWaiting) return
    this.#isWaiting = false
    this.#line?.post(GO_ON)
  }

  #isRead({ stdoutBytes = 0, stderrBytes = 0 }: Ended): boolean {
    return this.#read.stdout >= stdoutBytes && this.#read.stderr >= stderrBytes
  }

  #finishEnding({ outcome }: Ended): void {
    this.#ending = undefined
    this.finish(outcome)
  }

  async #ended(how: string): Promise<void> {
    const { stdout, stderr } = this.#subprocess
    this.retire()
    if (this.pid !== undefined) {
      await endGroup(this.pid)
      this.#watchdog.release(this.pid)
    }
    const ends = [closed(stdout), closed(stderr), this.#line?.closed]
    await Promise.race([Promise.all(ends), after(OUTPUT_MS)])
    this.gone(`its process ${how}`, this.#stderrTail.includes('heap out of memory'))
  }

  #capture(name: OutputStream): void {
    const stream = this.#subprocess[name]
    const decoder = new StringDecoder('utf8')
    stream?.on('data', (bytes: Buffer) => {
      this.#read[name] += bytes.length
      const chunk = decoder.write(bytes)
      if (name === 'stderr') this.#stderrTail = (this.#stderrTail + chunk).slice(-TAIL_LENGTH)
      this.running?.hear({ kind: 'output', stream: name, chunk })
      if (this.#ending !== undefined && this.#isRead(this.#ending)) this.#finishEnding(this.#ending)
    })
  }
}

function spawn(memoryLimitBytes: number | undefined, { file, env, execArgv }: ChildOptions): Subprocess {
  const nodeOptions = [...(execArgv ?? inheritedOptions(process.execArgv))]
  if (memoryLimitBytes !== undefined)
    nodeOptions.push(`--max-old-space-size=${Math.ceil(memoryLimitBytes / MIB) + OWN_HEAP_MIB}`)
  return execaNode(file, {
    nodeOptions,
    serialization: 'advanced',
    // Node's own channel: with `ipc`, execa would read each message a second time.
    ipc: false,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc', 'pipe', 'pipe'],
    buffer: false,
    reject: false,
    // A group of its own, so that all of it can be ended; execa's clean-up knows only the process itself.
    detached: true,
    cleanup: false,
    ...(env === undefined ? {} : { env, extendEnv: false }),
  }) as unknown as Subprocess
}

function closed(stream: NodeJS.ReadableStream | null): Promise<void> {
  if (stream === null || (stream as { closed?: boolean }).closed) return Promise.resolve()
  return new Promise((resolve) => stream.once('close', () => resolve()))
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}

const ignore = (): void => {}
