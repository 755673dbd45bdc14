import { NOTE_LENGTH_MAX, PROGRESS_COUNT_MAX, TextCap, textOf } from '../../domain/caps.ts'
import type { HandlerContext, OutputStream, Transferable } from '../../domain/job.ts'
import type { Task, Word } from './messages.ts'

const NO_RESULTS: Readonly<Record<string, unknown>> = Object.freeze({})
const NOTHING: readonly Transferable[] = Object.freeze([])

/** The context of a handler in a thread or process. What most handlers never touch is made on first use. */
export class WorkerContext implements HandlerContext {
  readonly jobId: string
  readonly nodeId: string | undefined
  readonly treeId: string | undefined
  readonly attempt: number
  readonly parentResults: Readonly<Record<string, unknown>>
  readonly #say: (word: Word) => void
  hasEnded = false
  /** What of its value is to be moved. */
  moved: readonly Transferable[] = NOTHING
  #controller: AbortController | undefined
  #caps: Record<'log' | OutputStream, TextCap> | undefined
  #progressCount = 0

  constructor(task: Task, say: (word: Word) => void) {
    this.jobId = task.jobId
    this.nodeId = task.nodeId
    this.treeId = task.treeId
    this.attempt = task.attempt
    this.parentResults = task.parentResults ?? NO_RESULTS
    this.#say = say
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    return this.#controller.signal
  }

  /** A function of its own, so that a handler may take it out of its context. */
  get progress(): (fraction: number, note?: string) => void {
    return (fraction, note) => {
      if (!Number.isFinite(fraction)) return
      // The one beyond the cap is sent too: that there was one tells the pool to say so.
      if (++this.#progressCount > PROGRESS_COUNT_MAX + 1) return
      const cut = note === undefined ? undefined : textOf(note).slice(0, NOTE_LENGTH_MAX)
      this.#tell({ kind: 'progress', fraction, note: cut })
    }
  }

  get log(): (line: string) => void {
    return (line) => {
      // The part beyond the cap is sent too: that there was one tells the pool to say so.
      if (this.#passes('log')) this.#tell({ kind: 'log', line: this.#measure('log', textOf(line)) })
    }
  }

  get move(): (moved: readonly Transferable[]) => void {
    return (moved) => {
      this.moved = moved
    }
  }

  /** Hands on what was written to a standard stream. */
  write(stream: OutputStream, chunk: string): void {
    if (this.#passes(stream)) this.#tell({ kind: 'output', stream, chunk: this.#measure(stream, chunk) })
  }

  abort(reason: unknown): void {
    this.#controller ??= new AbortController()
    this.#controller.abort(reason)
  }

  #tell(word: Word): void {
    if (!this.hasEnded) this.#say(word)
  }

  #passes(what: 'log' | OutputStream): boolean {
    this.#caps ??= { log: new TextCap(), stdout: new TextCap(), stderr: new TextCap() }
    return !this.#caps[what].isTruncated
  }

  /** What may pass, and one character more if it was cut. */
  #measure(what: 'log' | OutputStream, text: string): string {
    const passing = this.#caps?.[what].take(text) ?? ''
    return text.slice(0, passing.length + 1)
  }
}
