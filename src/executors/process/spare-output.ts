import { TEXT_LENGTH_MAX } from '../../domain/caps.ts'

/** In UTF-8 a character takes three bytes at most: so many have more characters than are kept. */
const BYTES_MAX = 3 * (TEXT_LENGTH_MAX + 1)

/** A standard stream that drops what is written beyond what is kept of an attempt. */
export interface SpareOutput {
  /** What is written from now on counts for the next attempt. */
  attemptEnded(): void
  /** Whether it can be written to as before: somebody may have ended it. */
  isWhole(): boolean
}

/**
 * Lets a standard stream of this process drop what nobody would keep, and stay open until this process ends.
 *
 * Node holds what the parent has not read yet, all of it in memory, and breaks the stream when that is more than 2 GiB.
 * One that is ended, as `pipeline` does, Node lets be written to again, though it has closed its pipe.
 */
export function spareOutput(stream: NodeJS.WriteStream): SpareOutput {
  const write = stream.write.bind(stream) as (...given: unknown[]) => boolean
  const end = stream.end.bind(stream) as (...given: unknown[]) => NodeJS.WriteStream
  let isEnded = false
  Object.assign(stream, {
    end(...given: unknown[]) {
      isEnded = true
      return end(...given)
    },
    _final: (done: () => void) => done(),
  })
  let writtenBytes = 0
  stream.write = (chunk: string | Uint8Array, encoding?: unknown, callback?: unknown): boolean => {
    if (writtenBytes < BYTES_MAX) {
      writtenBytes += Buffer.byteLength(chunk)
      return write(chunk, encoding, callback)
    }
    const done = typeof encoding === 'function' ? encoding : callback
    if (typeof done === 'function') process.nextTick(done)
    return true
  }
  return {
    attemptEnded() {
      writtenBytes = 0
    },
    isWhole: () => !isEnded && stream.writable,
  }
}
