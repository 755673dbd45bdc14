import { StringDecoder } from 'node:string_decoder'
import { TextCap } from '../domain/caps.ts'

/** What a program writes to one stream: handed on as it comes, and kept, each up to its cap. The rest is dropped. */
export class OutputCapture {
  readonly #handOn: (chunk: string) => boolean
  readonly #decoder = new StringDecoder('utf8')
  readonly #cap = new TextCap()
  readonly #wantedBytesMax: number
  readonly #wanted: Buffer[] = []
  #wantedBytes = 0
  #text = ''
  #isWantedMore = true

  /**
   * @param handOn - Answers `false` once it wants no more.
   * @param wantedBytesMax - How many bytes to keep whole for the job's value; 0: none.
   */
  constructor(handOn: (chunk: string) => boolean, wantedBytesMax: number) {
    this.#handOn = handOn
    this.#wantedBytesMax = wantedBytesMax
  }

  /** The first 1,048,576 characters. */
  get text(): string {
    return this.#text
  }

  get isTruncated(): boolean {
    return this.#cap.isTruncated
  }

  /** All bytes; `undefined` when they were more than wanted. */
  get bytes(): Buffer | undefined {
    return this.#wantedBytes > this.#wantedBytesMax ? undefined : Buffer.concat(this.#wanted)
  }

  take(chunk: Buffer): void {
    if (this.#wantedBytesMax > 0) this.#keep(chunk)
    if (this.#isWantedMore || !this.#cap.isTruncated) this.#say(this.#decoder.write(chunk))
  }

  /** The stream has ended: half a character is told as what it is. */
  end(): void {
    this.#say(this.#decoder.end())
  }

  #keep(chunk: Buffer): void {
    this.#wantedBytes += chunk.length
    if (this.#wantedBytes <= this.#wantedBytesMax) this.#wanted.push(chunk)
    else this.#wanted.length = 0
  }

  #say(text: string): void {
    if (text === '') return
    if (this.#isWantedMore) this.#isWantedMore = this.#handOn(text)
    if (!this.#cap.isTruncated) this.#text += this.#cap.take(text)
  }
}
