import { createLogUpdate } from 'log-update'
import { type Line, printable } from './line.ts'
import type { Output } from './output.ts'
import { clean } from './text.ts'

const REDRAW_MS = 100
const TICK_MS = 1_000
/** Drawing may take this share of the time: a huge tree is drawn less often. */
const DRAWING_SHARE = 0.1
const FOREIGN_LINE_MAX = 2_000

const HIDE_CURSOR = '\u001b[?25l'
const SHOW_CURSOR = '\u001b[?25h'
const ERASE_BELOW = '\u001b[0J'

/** Keeps a few lines at the bottom of a terminal up to date, and leaves nothing of them behind. */
export class LiveScreen {
  readonly #output: Output
  readonly #render: () => readonly Line[]
  readonly #draw: ReturnType<typeof createLogUpdate>
  readonly #ends: (() => void)[]
  #timer: NodeJS.Timeout | undefined
  #earliestAt = 0
  #hasStopped = false
  /** What others wrote since the last drawing. */
  #foreign = ''

  /** @param render - The lines as they are now; called at most ten times a second, and once a second when idle. */
  constructor(output: Output, render: () => readonly Line[]) {
    this.#output = output
    this.#render = render
    this.#draw = createLogUpdate(output.canvas, { showCursor: true })
    const stop = () => this.stop()
    const tick = setInterval(() => this.update(), TICK_MS).unref()
    // For an error that nobody catches, too, this comes before Node prints it.
    process.once('exit', stop)
    this.#ends = [
      output.onResize(() => this.update()),
      output.divert(['stdout', 'stderr'], (text) => this.printAbove(text)),
      () => clearInterval(tick),
      () => process.off('exit', stop),
    ]
    output.raw(HIDE_CURSOR)
    this.update()
  }

  /** Draws soon, once for all calls until then. */
  update(): void {
    if (this.#timer !== undefined || this.#hasStopped) return
    const delayMs = Math.max(0, this.#earliestAt - performance.now())
    this.#timer = setTimeout(() => this.#drawNow(), delayMs).unref()
  }

  /** Prints text that stays, above the live lines; of a last line without an end, when that has come. */
  printAbove(text: string): void {
    this.#foreign += text
    this.update()
  }

  /** Takes the lines away, and shows the cursor again. */
  stop(): void {
    if (this.#hasStopped) return
    this.#hasStopped = true
    for (const end of this.#ends) end()
    clearTimeout(this.#timer)
    this.#draw.clear()
    // At Ctrl-C a terminal drops what it has not drawn yet, and the cursor may be higher than it should.
    this.#output.raw(ERASE_BELOW)
    if (this.#foreign !== '' && !this.#foreign.endsWith('\n')) this.#foreign += '\n'
    this.#printForeign()
    this.#output.raw(SHOW_CURSOR)
  }

  #drawNow(): void {
    this.#timer = undefined
    const startedAt = performance.now()
    const look = { width: this.#output.columns, hasColors: this.#output.hasColors }
    if (this.#foreign.includes('\n')) {
      this.#draw.clear()
      this.#printForeign()
    }
    this.#draw(
      this.#render()
        .map((line) => printable(line, look))
        .join('\n'),
    )
    const endedAt = performance.now()
    this.#earliestAt = startedAt + Math.max(REDRAW_MS, (endedAt - startedAt) / DRAWING_SHARE)
  }

  #printForeign(): void {
    const lines = this.#foreign.split('\n')
    this.#foreign = lines.pop() as string
    for (const line of lines) this.#output.raw(`${clean(line, FOREIGN_LINE_MAX)}\n`)
  }
}
