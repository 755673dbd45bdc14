/** A program to run: a job's body for the `command` executor. */
export interface CommandLine {
  /** Its name, searched on the PATH it gets, or its path; one with a `/` is taken from `cwd`. Never a line for a shell. */
  readonly command: string
  /** Each is one argument, whatever is in it. */
  readonly args?: readonly string[]
  /** Added to the variables that are handed on; it replaces those of the same name. */
  readonly env?: Readonly<Record<string, string>>
  /** Default: this process's. */
  readonly cwd?: string
  /** What it reads from stdin. Default: the job's `args`, each as one line of JSON; without any, nothing. */
  readonly stdin?: string | Uint8Array
  /**
   * What of its words is the job's value. Default `'output'`: a {@link CommandResult}.
   *
   * `'json'` and `'text'`: its stdout; `{ file }`: the JSON in a file that it writes, taken from `cwd`;
   * one that is there before is removed.
   */
  readonly result?: 'output' | 'json' | 'text' | { readonly file: string }
  /** The exit codes that mean success. Default `[0]`. */
  readonly okExitCodes?: readonly number[]
}

/** How a program ended. */
export interface CommandResult {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
  /** Whether 1,048,576 characters of stdout, or of stderr, were not all of it. */
  readonly truncated: { readonly stdout: boolean; readonly stderr: boolean }
}
