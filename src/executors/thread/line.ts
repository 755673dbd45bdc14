import { type MessagePort, receiveMessageOnPort, type Transferable } from 'node:worker_threads'

/** How long a thread waits for its next message without letting its event loop turn: the next attempt often follows at once. */
const HOLD_MS = 2
/** How long it goes on so at most, from message to message, before its event loop turns. */
const STRETCH_MS = 10

/** One end of the line between a thread and its executor. */
export interface Line {
  readonly port: MessagePort
  /** Shared by both ends: how many messages each has posted. Who sees one more need not wait for the event loop to bring it. */
  readonly counts: Int32Array
}

/** Where in {@link Line.counts} the messages are counted. */
export const TO_THREAD = 0
export const FROM_THREAD = 1

/** Posts a message to the thread, and wakes it if it waits; or from the thread. */
export function post(
  { port, counts }: Line,
  direction: typeof TO_THREAD | typeof FROM_THREAD,
  message: object,
  moved: readonly object[],
): void {
  port.postMessage(message, moved as readonly Transferable[])
  Atomics.add(counts, direction, 1)
  if (direction === TO_THREAD) Atomics.notify(counts, TO_THREAD)
}

/**
 * Hands each message of a line on, in the thread.
 *
 * A thread that sleeps on a shared number is woken sooner, and at less cost, than its event loop is.
 */
export class Receiver<Message> {
  readonly #line: Line
  readonly #take: (message: Message, wasAwaited: boolean) => void
  readonly #refuse: (thrown: unknown) => void
  #taken = 0
  /** When the event loop last brought a message. */
  #turnedAt = 0

  /**
   * @param take - Also told whether the thread has done nothing but wait since {@link await} was called.
   * @param refuse - Told of a message that cannot be read.
   */
  constructor(
    line: Line,
    take: (message: Message, wasAwaited: boolean) => void,
    refuse: (thrown: unknown) => void,
  ) {
    this.#line = line
    this.#take = take
    this.#refuse = refuse
    line.port.on('messageerror', refuse)
    line.port.on('message', (message: Message) => {
      this.#turnedAt = performance.now()
      this.#hand(message, false)
    })
  }

  /** Waits shortly for what comes next. For a thread that has nothing else to do. */
  await(): void {
    if (performance.now() - this.#turnedAt > STRETCH_MS) return
    const { port, counts } = this.#line
    Atomics.wait(counts, TO_THREAD, this.#taken, HOLD_MS)
    let next: { readonly message: Message } | undefined
    try {
      next = receiveMessageOnPort(port)
    } catch (thrown) {
      this.#refuse(thrown)
    }
    if (next !== undefined) this.#hand(next.message, true)
  }

  #hand(message: Message, wasAwaited: boolean): void {
    this.#taken = (this.#taken + 1) | 0
    this.#take(message, wasAwaited)
  }
}
