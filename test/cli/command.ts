import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'

const NODE_ARGS = ['--conditions=espalier-source', join(import.meta.dirname, '../../src/cli/launcher.js')]

/** Of util-linux; another `script` takes other options. */
const PSEUDO_TERMINAL = 'script'

/** Whether commands can be started on a terminal here. */
export const hasTerminals = /util-linux/.test(String(spawnSync(PSEUDO_TERMINAL, ['--version']).stdout))

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** The command line as a child process, in a folder of its own. */
export class Command {
  stdout = ''
  stderr = ''
  readonly ended: Promise<Ended>
  readonly #child: ChildProcess

  private constructor(folder: string, file: string, args: readonly string[]) {
    // What a CI machine sets decides about colours too.
    const { NO_COLOR, FORCE_COLOR, CI, ...env } = process.env
    this.#child = spawn(file, args, { cwd: folder, env: { ...env, TERM: 'xterm' } })
    this.#child.stdout?.on('data', (data) => {
      this.stdout += data
    })
    this.#child.stderr?.on('data', (data) => {
      this.stderr += data
    })
    this.ended = new Promise((resolve, reject) => {
      this.#child.on('error', reject)
      this.#child.on('close', (code) => resolve({ code, stdout: this.stdout, stderr: this.stderr }))
    })
  }

  /** @param folder - Where it runs, and `results` is made. */
  static start(folder: string, ...args: readonly string[]): Command {
    return new Command(folder, process.execPath, [...NODE_ARGS, ...args])
  }

  /** Starts it by a line of a shell, as the line's `"$@"`. */
  static inShell(folder: string, line: string, ...args: readonly string[]): Command {
    return new Command(folder, 'sh', ['-c', line, 'sh', process.execPath, ...NODE_ARGS, ...args])
  }

  /** Starts it on a pseudo-terminal, whose output is `stdout`. */
  static onTerminal(folder: string, ...args: readonly string[]): Command {
    const command = [process.execPath, ...NODE_ARGS, ...args].map((arg) => `'${arg}'`).join(' ')
    return new Command(folder, PSEUDO_TERMINAL, ['--quiet', '--return', '--command', command, '/dev/null'])
  }

  /** Resolves when the stream contains `text`; rejects when the command ends without it. */
  async prints(text: string, stream: 'stdout' | 'stderr' = 'stdout'): Promise<void> {
    const printed = new Promise<void>((resolve) => {
      const check = () => {
        if (this[stream].includes(text)) resolve()
      }
      this.#child[stream]?.on('data', check)
      check()
    })
    const ended = this.ended.then((end) => {
      if (!end[stream].includes(text)) throw new Error(`It ended without "${text}": ${JSON.stringify(end)}`)
    })
    await Promise.race([printed, ended])
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Reads stdout no longer, as `head` does when it has enough. */
  stopReading(): void {
    this.#child.stdout?.destroy()
  }
}

/** Where the fixture workflows are. */
export function fixture(name: string): string {
  return join(import.meta.dirname, 'fixtures', `${name}.ts`)
}
