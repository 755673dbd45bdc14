import { jsonDocument } from './json.ts'
import { type Line, printable } from './line.ts'

/** Columns of what is no terminal. */
const PIPE_COLUMNS = 100

type Stream = NodeJS.WriteStream
type Write = (text: string) => unknown

/** The one way of text to stdout and stderr. */
export class Output {
  readonly #out: Stream = process.stdout
  readonly #write: Write = process.stdout.write.bind(process.stdout)
  readonly #writeError: Write = process.stderr.write.bind(process.stderr)
  /** Whether colours are used where the terminal has them. */
  wantsColors = true
  #fault: Error | undefined

  constructor() {
    // Whatever becomes of the text, the run goes on, and its result is written to the file. A reader that has gone away, as
    // `| head` does, misses nothing.
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') this.#fault ??= error
    })
    process.stderr.on('error', () => {})
  }

  /** Why some of what was printed to stdout is lost to its reader; `undefined` when nothing is. */
  get fault(): Error | undefined {
    return this.#fault
  }

  /** Whether lines already printed can be drawn again. */
  get isLive(): boolean {
    return this.#out.isTTY === true && process.env.TERM !== 'dumb'
  }

  get rows(): number {
    return this.#out.rows || 24
  }

  /** Columns to lay things out in. */
  get columns(): number {
    return this.#out.columns || PIPE_COLUMNS
  }

  get hasColors(): boolean {
    return this.#out.isTTY === true && this.wantsColors && this.#out.hasColors()
  }

  /** Prints lines whole, however long: a terminal wraps them. */
  print(lines: readonly Line[]): void {
    const look = { width: Number.POSITIVE_INFINITY, hasColors: this.hasColors }
    for (const line of lines) this.raw(`${printable(line, look)}\n`)
  }

  /** Writes text as it is: a document, or what moves the cursor. */
  raw(text: string): void {
    this.#write(text)
  }

  /** Writes a value as a JSON document. */
  document(value: unknown): void {
    this.raw(jsonDocument(value))
  }

  error(text: string): void {
    this.#writeError(`${text}\n`)
  }

  /**
   * Takes what others write to stdout, and to stderr if asked, as handlers do that call `console.log`.
   *
   * @returns A function that gives the streams back.
   */
  divert(names: readonly ('stdout' | 'stderr')[], take: (text: string) => void): () => void {
    const given = names.map((name) => divertStream(process[name], take))
    return () => {
      for (const giveBack of given) giveBack()
    }
  }

  /** Does some work; when it ends in one document on stdout, what others print meanwhile goes to stderr. */
  async during<Result>(isDocument: boolean | undefined, work: () => Promise<Result>): Promise<Result> {
    const giveBack = isDocument ? this.divert(['stdout'], this.#writeError) : () => {}
    try {
      return await work()
    } finally {
      giveBack()
    }
  }

  /** Resolves when everything printed has been handed to the system. */
  async flush(): Promise<void> {
    await Promise.all(
      [process.stdout, process.stderr].map((stream) => new Promise((done) => stream.write('', done))),
    )
  }

  /** What log-update draws on: stdout, whoever else's writes are diverted. */
  get canvas(): NodeJS.WritableStream {
    const output = this
    const canvas = {
      write: (text: string) => this.#write(text),
      isTTY: true,
      get columns() {
        return output.columns
      },
      get rows() {
        return output.rows
      },
    }
    return canvas as unknown as NodeJS.WritableStream
  }

  onResize(listener: () => void): () => void {
    this.#out.on('resize', listener)
    return () => this.#out.off('resize', listener)
  }
}

function divertStream(stream: Stream, take: (text: string) => void): () => void {
  const { write } = stream
  const diverted = (chunk: string | Uint8Array, encoding?: unknown, callback?: unknown) => {
    take(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString())
    const done = typeof encoding === 'function' ? encoding : callback
    if (typeof done === 'function') process.nextTick(done)
    return true
  }
  stream.write = diverted as Stream['write']
  return () => {
    stream.write = write
  }
}
