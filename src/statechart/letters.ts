import type { AnyEventObject } from 'xstate'

/** A waiting event. The events of a mailbox form a ring, held by its newest, whose `next` is the oldest. */
export interface Letter {
  readonly event: AnyEventObject
  next: Letter
}

/** Adds an event behind the others; returns the newest. */
export function withLetter(newest: Letter | undefined, event: AnyEventObject): Letter {
  const letter = { event } as Letter
  letter.next = newest?.next ?? letter
  if (newest !== undefined) newest.next = letter
  return letter
}

/** Takes out the oldest; returns the newest of what remains. */
export function withoutOldest(newest: Letter): Letter | undefined {
  const oldest = newest.next
  if (oldest === newest) return undefined
  newest.next = oldest.next
  return newest
}
