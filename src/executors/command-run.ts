import type { Readable } from 'node:stream'
import type { CommandLine } from '../domain/command.ts'
import { EspalierError, isEspalierError } from '../domain/errors.ts'
import type { JobUsage } from '../domain/job.ts'
import { findNotJson } from '../domain/json.ts'
import type { Attempt, AttemptSink } from '../ports/executor.ts'
import { prepareResult, type ResultReader } from './command-result.ts'
import { startFactsOf } from './command-start.ts'
import type { GroupMeter } from './group-meter.ts'
import { OutputCapture } from './output-capture.ts'
import { endGroup, signalGroup } from './process-group.ts'
import { reportStopped } from './stopped.ts'
import type { Watchdog } from './watchdog.ts'
import { afterGrace } from './worker/running.ts'

/** What a run needs of its executor. */
interface Surroundings {
  readonly env: Readonly<Record<string, string>>
  readonly resultBytesMax: number
  readonly watchdog: Watchdog
  readonly meter: GroupMeter
}

/** How long the streams of a program may stay open when nothing of it is left; whoever holds them has left its session. */
const STREAM_GRACE_MS = 250
/** Trying again would meet the same: no such program, not to be executed, too long. */
const FINAL_CODES = ['ENOENT', 'EACCES', 'E2BIG', 'ENOTDIR', 'ENOEXEC']
const FINAL_ERRORS = ['ESP_BUNDLED', 'ESP_CANNOT_CARRY', 'ESP_COMMAND_RESULT'] as const

/** One attempt of a command: a process, and whatever it starts. */
export class CommandRun {
  /** Resolves when nothing of it runs any more, and that is reported. */
  readonly ended: Promise<void>
  readonly #attempt: Attempt
  readonly #sink: AttemptSink
  readonly #around: Surroundings
  readonly #line: CommandLine
  readonly #stdout: OutputCapture
  readonly #stderr: OutputCapture
  /** The pid of the process, while anything of it may run. */
  #leader: number | undefined
  #isUnwanted = false
  #killTimer: NodeJS.Timeout | undefined
  #memoryError: EspalierError | undefined

  constructor(attempt: Attempt, sink: AttemptSink, around: Surroundings) {
    this.#attempt = attempt
    this.#sink = sink
    this.#around = around
    this.#line = attempt.execute as CommandLine
    const { result } = this.#line
    const wantedBytesMax = result === 'json' || result === 'text' ? around.resultBytesMax : 0
    this.#stdout = new OutputCapture((chunk) => sink.output(attempt, 'stdout', chunk), wantedBytesMax)
    this.#stderr = new OutputCapture((chunk) => sink.output(attempt, 'stderr', chunk), 0)
    this.ended = this.#run()
  }

  /** Asks it to end, and ends it by force when the grace is over. */
  stop(killGraceMs: number): void {
    this.#isUnwanted = true
    if (this.#leader === undefined) return
    signalGroup(this.#leader, 'SIGTERM')
    this.#killTimer = afterGrace(killGraceMs, () => this.kill())
  }

  kill(): void {
    this.#isUnwanted = true
    this.#end()
  }

  async #run(): Promise<void> {
    try {
      this.#around.watchdog.check()
      const input = this.#input()
      // Loaded when a command first runs: it takes a tenth of a second, which no other pool should wait for.
      const { execa } = await import('execa')
      if (this.#isUnwanted) {
        reportStopped(this.#attempt, this.#sink)
        return
      }
      const readResult = prepareResult(this.#attempt.jobId, this.#line, this.#around.resultBytesMax)
      const child = this.#spawn(execa, input)
      if (child.pid === undefined) this.#reportUnstarted(await child)
      else await this.#follow(child, child.pid, readResult)
    } catch (thrown) {
      if (isUnstartable(thrown)) this.#sink.rejected(this.#attempt, thrown)
      else this.#sink.failed(this.#attempt, thrown)
    } finally {
      clearTimeout(this.#killTimer)
    }
  }

  #spawn(execa: typeof import('execa').execa, input: string | Uint8Array | undefined): Child {
    const { command, args = [], cwd } = this.#line
    return execa(command, args, {
      ...(cwd === undefined ? {} : { cwd }),
      ...(input === undefined ? { stdin: 'ignore' } : { input }),
      env: { ...this.#around.env },
      extendEnv: false,
      shell: false,
      // Founds a process group and a session, so that all it starts can be ended with it.
      detached: true,
      buffer: false,
      reject: false,
    }) as unknown as Child
  }

  /** @throws {EspalierError} `ESP_CANNOT_CARRY`. */
  #input(): string | Uint8Array | undefined {
    const { stdin } = this.#line
    if (stdin !== undefined) return stdin
    const { jobId } = this.#attempt
    // A node without input has an argument all the same.
    const args = this.#attempt.args.filter((arg) => arg !== undefined)
    if (args.length === 0) return undefined
    const fault = findNotJson(args)
    if (fault === undefined) return args.map((arg) => `${JSON.stringify(arg)}\n`).join('')
    const { path, found } = fault
    throw new EspalierError('ESP_CANNOT_CARRY', { jobId, what: 'args', carrier: 'JSON', path, found })
  }

  async #follow(child: Child, leader: number, readResult: ResultReader): Promise<void> {
    const { watchdog, meter } = this.#around
    this.#leader = leader
    watchdog.guard(leader)
    meter.add(leader, this.#attempt.memoryLimitBytes, (seenBytes) => this.#endForMemory(seenBytes))
    child.stdout.on('data', (chunk: Buffer) => this.#stdout.take(chunk))
    child.stderr.on('data', (chunk: Buffer) => this.#stderr.take(chunk))
    await new Promise<void>((resolve) => child.once('exit', () => resolve()))
    const usage = meter.remove(leader)
    // What it has left running would hold its streams, and outlive its job.
    await endGroup(leader)
    this.#leader = undefined
    watchdog.release(leader)
    const ended = await closeStreams(child)
    this.#stdout.end()
    this.#stderr.end()
    this.#report(ended, readResult, usage)
  }

  #end(): void {
    if (this.#leader !== undefined) signalGroup(this.#leader, 'SIGKILL')
  }

  #endForMemory(seenBytes: number): void {
    const { jobId, attempt, memoryLimitBytes: limitBytes = 0 } = this.#attempt
    this.#memoryError = new EspalierError('ESP_MEMORY_LIMIT', { jobId, attempt, limitBytes, seenBytes })
    this.#end()
  }

  #report({ exitCode, signal }: Ended, readResult: ResultReader, usage: JobUsage | undefined): void {
    const attempt = this.#attempt
    const { jobId } = attempt
    const { command, okExitCodes = [0] } = this.#line
    const [stdout, stderr] = [this.#stdout, this.#stderr]
    if (this.#memoryError !== undefined) {
      this.#sink.failed(attempt, this.#memoryError, usage)
    } else if (exitCode !== undefined && okExitCodes.includes(exitCode)) {
      let value: unknown
      try {
        value = readResult(exitCode, stdout, stderr)
      } catch (thrown) {
        this.#sink.failed(attempt, thrown, usage)
        return
      }
      this.#sink.completed(attempt, value, usage)
    } else if (this.#isUnwanted) {
      reportStopped(attempt, this.#sink, usage)
    } else {
      const facts = { jobId, command, exitCode, signal, stdout: stdout.text, stderr: stderr.text }
      this.#sink.failed(attempt, new EspalierError('ESP_COMMAND_FAILED', facts), usage)
    }
  }

  #reportUnstarted({ code = 'unknown', originalMessage = '' }: Ended): void {
    const { jobId } = this.#attempt
    const { command } = this.#line
    const seen = startFactsOf(this.#line, code, this.#around.env.PATH)
    const error = new EspalierError('ESP_COMMAND_NOT_STARTED', {
      ...{ jobId, command, code, originalMessage },
      ...seen,
    })
    if (FINAL_CODES.includes(code)) this.#sink.rejected(this.#attempt, error)
    else this.#sink.failed(this.#attempt, error)
  }
}

/** What is used of execa's subprocess; as a promise it resolves when the process and its streams have ended. */
interface Child extends PromiseLike<Ended> {
  /** Absent when it could not be started. */
  readonly pid?: number
  readonly stdout: Readable
  readonly stderr: Readable
  once(event: 'exit', listener: () => void): unknown
}

interface Ended {
  readonly exitCode?: number | undefined
  readonly signal?: string | undefined
  /** Why it could not be started. */
  readonly code?: string | undefined
  readonly originalMessage?: string | undefined
}

/** Waits for the streams of a process that has ended; those that somebody else still holds are given up. */
async function closeStreams(child: Child): Promise<Ended> {
  const timer = setTimeout(() => {
    child.stdout.destroy()
    child.stderr.destroy()
  }, STREAM_GRACE_MS)
  try {
    return await child
  } finally {
    clearTimeout(timer)
  }
}

/** Whether it would be the same with the next attempt. */
const isUnstartable = (thrown: unknown): boolean => FINAL_ERRORS.some((code) => isEspalierError(thrown, code))
