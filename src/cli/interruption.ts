import process from 'node:process'

/** The exit codes by which shells tell these signals. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const
const SIGNALS = Object.keys(EXIT_CODES) as (keyof typeof EXIT_CODES)[]

/** npm passes on the Ctrl-C that the terminal has sent already; a hand is not as fast. */
const ECHO_MS = 200

/** Listens for Ctrl-C and its like: the first asks the run to end, a later one ends the process at once. */
export class Interruption {
  /** The exit code of the first signal; `undefined` while none came. */
  exitCode: number | undefined
  #onFirst: (() => void) | undefined
  #firstAt = Number.NEGATIVE_INFINITY

  constructor(onFirst: () => void) {
    this.#onFirst = onFirst
    for (const signal of SIGNALS) process.on(signal, this.#take)
  }

  /**
   * There is nothing left to ask for: any further signal ends the process at once. It goes on listening, since the echo of the
   * first signal would otherwise kill a process that is writing its last lines.
   */
  end(): void {
    this.#onFirst = undefined
  }

  readonly #take = (signal: NodeJS.Signals) => {
    const now = performance.now()
    if (now - this.#firstAt < ECHO_MS) return
    const exitCode = EXIT_CODES[signal as keyof typeof EXIT_CODES]
    const onFirst = this.#onFirst
    if (onFirst === undefined) process.exit(exitCode)
    this.end()
    this.#firstAt = now
    this.exitCode = exitCode
    onFirst()
  }
}
