import { show } from './errors.ts'

/** What an attempt may say before the rest is dropped: nobody reads more, and all of it has to be kept somewhere. */

/** Characters of stdout, of stderr and of log lines, each for itself: 1 MiB of plain text. */
export const TEXT_LENGTH_MAX = 1_048_576
/** Calls of `progress`; one more is heard, and tells that it is the last. */
export const PROGRESS_COUNT_MAX = 10_000
/** Characters of a progress note. */
export const NOTE_LENGTH_MAX = 1_000

/** Lets text pass until there was too much of it. */
export class TextCap {
  #left = TEXT_LENGTH_MAX
  #isTruncated = false

  /** Whether something was cut off; nothing passes any more. */
  get isTruncated(): boolean {
    return this.#isTruncated
  }

  /** What may pass of `text`; after it, {@link isTruncated} tells whether that was all of it. */
  take(text: string): string {
    if (text.length > this.#left) this.#isTruncated = true
    const passing = this.#isTruncated ? text.slice(0, this.#left) : text
    this.#left -= passing.length
    return passing
  }
}

/** What an attempt says, as text: as `String` has it, but for what that throws at. */
export function textOf(said: unknown): string {
  try {
    return String(said)
  } catch {
    return show(said)
  }
}
