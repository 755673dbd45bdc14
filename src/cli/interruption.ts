import process from 'node:process'

/** The exit codes by which shells tell these signals. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const
const SIGNALS = Object.keys(EXIT_CODES) as (keyof typeof EXIT_CODES)[]

/** npm passes on the Ctrl-C that the terminal has sent already; a hand is not as fast. */
const ECHO_MS = 200

/** Listens for Ctrl-C and its like: the first asks the run to end, the second ends the process at once. */
export class Interruption {
  /** The exit code of the first signal; `undefined` while none came. */
  exitCode: number | undefined
  readonly #onFirst: () => void
  #firstAt = 0

  constructor(onFirst: () => void) {
    this.#onFirst = onFirst
    for (const signal of SIGNALS) process.on(signal, this.#take)
  }

  end(): void {
    for (const signal of SIGNALS) process.off(signal, this.#take)
  }

  readonly #take = (signal: NodeJS.Signals) => {
    const exitCode = EXIT_CODES[signal as keyof typeof EXIT_CODES]
    if (this.exitCode !== undefined) {
      if (performance.now() - this.#firstAt > ECHO_MS) process.exit(exitCode)
      return
    }
    this.#firstAt = performance.now()
    this.exitCode = exitCode
    this.#onFirst()
  }
}
