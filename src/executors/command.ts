import { checkInteger, checkKeys, checkObject } from '../domain/check.ts'
import type { CommandLine } from '../domain/command.ts'
import { EspalierError } from '../domain/errors.ts'
import type { Execute } from '../domain/job.ts'
import type { Attempt, AttemptSink, Executor, ExecutorSupports } from '../ports/executor.ts'
import { checkCommand } from './command-check.ts'
import { CommandRun } from './command-run.ts'
import { GroupMeter } from './group-meter.ts'
import { canReadProcesses } from './process-table.ts'
import { isListOf, isVariableName } from './texts.ts'
import { Watchdog } from './watchdog.ts'

export interface CommandExecutorOptions {
  /**
   * Names of variables of this process that every command gets.
   *
   * Default: PATH, HOME, USER, LOGNAME, LANG, LC_ALL, LC_CTYPE, TZ and TMPDIR. Whatever else is in the environment, such
   * as secrets, stays here.
   */
  readonly inheritEnv?: readonly string[]
  /** The most that `result: 'json'`, `'text'` or a file may hold, in bytes. Default 64 MiB. */
  readonly resultBytesMax?: number
}

const INHERITED = ['PATH', 'HOME', 'USER', 'LOGNAME', 'LANG', 'LC_ALL', 'LC_CTYPE', 'TZ', 'TMPDIR']
const RESULT_BYTES_MAX = 64 * 1024 ** 2

/**
 * Makes an executor that runs programs: each attempt is a process of its own, and all that it starts ends with it.
 *
 * No shell is involved, and no program is kept from what its user may do: this is no sandbox. On Linux and macOS; only
 * Linux tells what memory and CPU time it takes.
 *
 * @throws {EspalierError} `ESP_INVALID_OPTION` or `ESP_UNKNOWN_OPTION`.
 */
export function createCommandExecutor(options: CommandExecutorOptions = {}): Executor {
  checkKeys('the command executor', checkObject('options', options), OPTION_NAMES)
  return new CommandExecutor(options)
}

class CommandExecutor implements Executor {
  readonly name = 'command'
  readonly supports: ExecutorSupports = {
    carries: 'json',
    memoryLimit: canReadProcesses,
    forcedStop: true,
    output: true,
    usage: canReadProcesses,
  }
  readonly #inheritEnv: readonly string[]
  readonly #resultBytesMax: number
  readonly #runs = new Map<Attempt, CommandRun>()
  readonly #watchdog = new Watchdog()
  readonly #meter = new GroupMeter()

  constructor({ inheritEnv = INHERITED, resultBytesMax = RESULT_BYTES_MAX }: CommandExecutorOptions) {
    this.#inheritEnv = checkVariableNames('inheritEnv', inheritEnv)
    this.#resultBytesMax = checkInteger('resultBytesMax', resultBytesMax, 1)
  }

  refuses(execute: Execute): string | undefined {
    return checkCommand(execute)
  }

  start(attempt: Attempt, sink: AttemptSink): void {
    const run = new CommandRun(attempt, sink, {
      env: this.#environmentOf(attempt),
      resultBytesMax: this.#resultBytesMax,
      watchdog: this.#watchdog,
      meter: this.#meter,
    })
    this.#runs.set(attempt, run)
    void run.ended.then(() => this.#runs.delete(attempt))
  }

  stop(attempt: Attempt, killGraceMs: number): void {
    this.#runs.get(attempt)?.stop(killGraceMs)
  }

  async close(): Promise<void> {
    const runs = [...this.#runs.values()]
    for (const run of runs) run.kill()
    await Promise.all(runs.map(({ ended }) => ended))
    await this.#watchdog.close()
  }

  #environmentOf({ execute, jobId, nodeId, treeId, attempt }: Attempt): Record<string, string> {
    const env: Record<string, string> = {}
    for (const name of this.#inheritEnv) {
      const value = process.env[name]
      if (value !== undefined) env[name] = value
    }
    Object.assign(env, (execute as CommandLine).env)
    env.ESPALIER_JOB_ID = jobId
    env.ESPALIER_ATTEMPT = String(attempt)
    if (nodeId !== undefined) env.ESPALIER_NODE_ID = nodeId
    if (treeId !== undefined) env.ESPALIER_TREE_ID = treeId
    return env
  }
}

const OPTION_NAMES: ReadonlySet<string> = new Set<keyof CommandExecutorOptions>([
  'inheritEnv',
  'resultBytesMax',
])

function checkVariableNames(option: string, names: readonly string[]): readonly string[] {
  if (isListOf(names, isVariableName)) return names
  const expected = 'an array of the names of variables, without "=" and NUL'
  throw new EspalierError('ESP_INVALID_OPTION', { option, expected, got: names })
}
