import type { AnyActorLogic, AnyEventObject } from 'xstate'
import { withLetter, withoutOldest } from './letters.ts'
import { StandingActor } from './standing-actor.ts'
import { STOPPED } from './xstate-internals.ts'

/** A mailbox takes events from the first `start` on; what comes while it works waits. */
const CLOSED = 0
const IDLE = 1
const BUSY = 2

/** Takes events one at a time, in the order in which they come. */
export abstract class MailboxActor<TLogic extends AnyActorLogic> extends StandingActor<TLogic> {
  #mailbox = CLOSED

  /** Does what an event asks for. */
  abstract _handle(event: AnyEventObject): void

  /** Takes an event that inspectors already know of; XState's systems and parents call it. */
  _send(event: AnyEventObject): void {
    if (this._processingStatus === STOPPED) return
    if (this.#mailbox === IDLE) this.#work(event)
    else this.#enqueue(event)
  }

  /** Begins with what has come before. */
  _openMailbox(): void {
    this.#mailbox = IDLE
    const event = this.#dequeue()
    if (event !== undefined) this.#work(event)
  }

  _closeMailbox(): void {
    if (this._extras !== undefined) this._extras.newest = undefined
    this.#mailbox = CLOSED
  }

  /** Drops waiting events, except that a closed mailbox keeps the oldest, as XState's does. */
  _dropWaiting(): void {
    const oldest = this._extras?.newest?.next
    if (this._extras !== undefined) this._extras.newest = undefined
    if (this.#mailbox === CLOSED && oldest !== undefined) this.#enqueue(oldest.event)
  }

  /** Processes an event and those that arrive meanwhile. */
  #work(first: AnyEventObject): void {
    for (let event: AnyEventObject | undefined = first; event !== undefined; event = this.#dequeue()) {
      this.#mailbox = BUSY
      this._handle(event)
      // Not busy any more: the actor has ended on the way, and may have been started anew.
      if (this.#mailbox !== BUSY) return
    }
    this.#mailbox = IDLE
  }

  #enqueue(event: AnyEventObject): void {
    this._rare.newest = withLetter(this._rare.newest, event)
  }

  #dequeue(): AnyEventObject | undefined {
    const newest = this._extras?.newest
    if (newest === undefined) return undefined
    const { event } = newest.next
    this._rare.newest = withoutOldest(newest)
    return event
  }
}
