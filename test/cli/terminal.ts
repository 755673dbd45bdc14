/** The screen of a terminal: enough of one to see what a live display leaves on it. */
export class Terminal {
  /** What scrolled off, and what is on the screen. */
  readonly lines: string[] = ['']
  isCursorHidden = false
  readonly #rows: number
  #row = 0
  #column = 0

  constructor(rows: number) {
    this.#rows = rows
  }

  write(output: string): void {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a terminal obeys.
    for (const [token] of output.matchAll(/\u001b\[([?\d;]*)([A-Za-z])|[\s\S]/gu)) this.#take(token)
  }

  /** The lines, without empty ones at the end. */
  get text(): string {
    return this.lines
      .map((line) => line.trimEnd())
      .join('\n')
      .trimEnd()
  }

  #take(token: string): void {
    if (token.startsWith('\u001b[')) this.#obey(token.slice(2, -1), token.at(-1) as string)
    else if (token === '\n') this.#moveTo(this.#row + 1)
    else if (token === '\r') this.#column = 0
    else {
      const line = this.#line.padEnd(this.#column)
      this.#line = line.slice(0, this.#column) + token + line.slice(this.#column + token.length)
      this.#column += token.length
    }
  }

  #obey(parameter: string, command: string): void {
    const count = Number(parameter) || 1
    if (command === 'A') this.#row = Math.max(this.#top, this.#row - count)
    else if (command === 'B') this.#row = Math.min(this.lines.length - 1, this.#row + count)
    else if (command === 'G') this.#column = count - 1
    else if (command === 'K') this.#line = parameter === '2' ? '' : this.#line.slice(0, this.#column)
    else if (command === 'J') this.#eraseBelow()
    else if (parameter === '?25') this.isCursorHidden = command === 'l'
    else if (command !== 'm' && parameter !== '?2026')
      throw new Error(`Unknown sequence ${parameter}${command}`)
  }

  #eraseBelow(): void {
    this.#line = this.#line.slice(0, this.#column)
    this.lines.length = this.#row + 1
  }

  get #top(): number {
    return Math.max(0, this.lines.length - this.#rows)
  }

  get #line(): string {
    return this.lines[this.#row] as string
  }

  set #line(text: string) {
    this.lines[this.#row] = text
  }

  #moveTo(row: number): void {
    while (this.lines.length <= row) this.lines.push('')
    this.#row = row
    this.#column = 0
  }
}
