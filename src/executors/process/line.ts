import { readSync, writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { type Frame, FrameReader, frameOf } from './frames.ts'

/**
 * Where a process finds the two halves of its line, behind its standard streams and Node's own channel.
 *
 * They are two, since the system wakes who waits at one end of a socket also when the other end has been read.
 */
const TO_PROCESS_FD = 4
const FROM_PROCESS_FD = 5

/** In place of a message: a process that waits for one is to turn its event loop. */
export type GoOn = readonly []
export const GO_ON: GoOn = []

/** How much is read at once. */
const READ_BYTES = 65_536
/** How much is written at once: Node refuses 2 GiB and more. */
const WRITE_BYTES_MAX = 2 ** 30

/** The executor's end of the line to a process. */
export class ExecutorEnd<Message> {
  /** Resolves when no more comes from the process. */
  readonly closed: Promise<void>
  readonly #outward: Socket
  readonly #inward: Socket

  /**
   * @param stdio - What `spawn` has made of a process's file descriptors, with pipes as the line's.
   * @param refuse - Told of a message that cannot be read: no other comes.
   */
  constructor(
    stdio: readonly unknown[],
    take: (message: Message) => void,
    refuse: (thrown: unknown) => void,
  ) {
    this.#outward = stdio[TO_PROCESS_FD] as Socket
    const reader = new FrameReader(take, refuse)
    this.#inward = unbuffered(stdio[FROM_PROCESS_FD] as Socket, (bytes, length) => reader.read(bytes, length))
    // A process that has gone tells so by its end.
    for (const socket of [this.#outward, this.#inward]) socket.on('error', () => {})
    this.closed = new Promise((resolve) => this.#inward.once('close', () => resolve()))
  }

  /**
   * Sends a message to a process that waits for one. Never waits itself.
   *
   * @throws When the message cannot be carried.
   */
  post(message: object): void {
    const frame = frameOf(message)
    const written = this.#writeNow(frame)
    // The frame's memory is used again.
    if (written < frame.length) this.#outward.write(Buffer.from(frame.bytes.subarray(written, frame.length)))
  }

  ref(): void {
    this.#inward.ref()
  }

  unref(): void {
    this.#inward.unref()
    this.#outward.unref()
  }

  /** Writes as much as goes at once, past the stream, which takes longer than all the rest. Returns how much. */
  #writeNow({ bytes, length }: Frame): number {
    const { fd = -1 } = handleOf(this.#outward) ?? {}
    if (fd < 0 || this.#outward.writableLength > 0) return 0
    try {
      return writeSync(fd, bytes, 0, length)
    } catch {
      // It is full, or the process has gone: the stream knows what to do.
      return 0
    }
  }
}

/** What libuv has behind a stream; none when that is closed. */
interface Handle {
  readonly fd?: number
}

function handleOf(stream: Socket): Handle | null {
  return (stream as unknown as { readonly _handle: Handle | null })._handle
}

/**
 * Makes a socket that reads into one buffer and hands on what came without a queue between, as `onread` of
 * `net.connect` does: a stream's own way of reading takes as long as all else that an attempt takes here. Node has no
 * such option for `spawn`, so the handle is taken from the stream it has made.
 */
function unbuffered(stream: Socket, take: (bytes: Buffer, length: number) => void): Socket {
  const handle = handleOf(stream)
  Object.assign(stream, { _handle: null })
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES)
  const callback = (length: number) => {
    take(buffer, length)
    return true
  }
  const socket = new Socket({ handle, onread: { buffer, callback } } as object)
  socket.once('close', () => stream.destroy())
  return socket.resume()
}

/** Writes all of it, and waits until that is done. */
export function writeWhole(fd: number, { bytes, length }: Frame): void {
  for (let at = 0; at < length; ) at += writeSync(fd, bytes, at, Math.min(length - at, WRITE_BYTES_MAX))
}

/** The end in the process. What it reads and writes, it waits for: its event loop has no part in it. */
export class ProcessEnd<Message> {
  readonly #buffer = Buffer.allocUnsafe(READ_BYTES)
  #arrived: Message | undefined
  readonly #reader: FrameReader<Message>

  /** @param refuse - Told of a message that cannot be read: no other comes. */
  constructor(refuse: (thrown: unknown) => void) {
    this.#reader = new FrameReader((message) => {
      this.#arrived = message
    }, refuse)
  }

  /**
   * Sends a message; returns when it has left this process.
   *
   * @throws When the message cannot be carried.
   */
  post(message: object): void {
    const frame = frameOf(message)
    try {
      writeWhole(FROM_PROCESS_FD, frame)
    } catch {
      // The executor's process has gone: there is nobody to tell.
    }
  }

  /** Sleeps until the executor sends a message, and returns it; `undefined` when none can come: the executor has gone, or this end was closed. */
  await(): Message | undefined {
    this.#arrived = undefined
    while (this.#arrived === undefined) {
      const length = this.#readNow()
      if (length === 0) return undefined
      this.#reader.read(this.#buffer, length)
    }
    return this.#arrived
  }

  /** Reads what there is as soon as there is something. Returns how much: nothing when the executor has gone. */
  #readNow(): number {
    for (;;) {
      try {
        return readSync(TO_PROCESS_FD, this.#buffer)
      } catch (thrown) {
        // A signal, such as the one that has Node open its inspector, only interrupts the sleep.
        if ((thrown as NodeJS.ErrnoException).code !== 'EINTR') return 0
      }
    }
  }
}
