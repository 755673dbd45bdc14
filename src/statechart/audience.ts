import type { AnyEventObject, Observer } from 'xstate'
import { reportUnhandledError } from './xstate-internals.ts'

export type AnyObserver = Observer<unknown>

/** Handlers by event type; `'*'` for all types. */
export type Listeners = Map<string, Set<(event: AnyEventObject) => void>>

/** Gives observers a snapshot. What one of them throws is reported and stops nobody, as in all functions here. */
export function tellNext(observers: Iterable<AnyObserver>, snapshot: unknown): void {
  for (const observer of observers) {
    try {
      observer.next?.(snapshot)
    } catch (error) {
      reportUnhandledError(error)
    }
  }
}

export function tellComplete(observers: Iterable<AnyObserver>): void {
  for (const observer of observers) {
    try {
      observer.complete?.()
    } catch (error) {
      reportUnhandledError(error)
    }
  }
}

/** Gives observers the error; reports it when one of them does not take errors. */
export function tellError(observers: Iterable<AnyObserver>, error: unknown): void {
  let isUnhandled = false
  for (const observer of observers) {
    isUnhandled ||= !observer.error
    try {
      observer.error?.(error)
    } catch (thrown) {
      reportUnhandledError(thrown)
    }
  }
  if (isUnhandled) reportUnhandledError(error)
}

/** Gives an emitted event to the listeners of its type, then to those of all types. */
export function tellEmitted(listeners: Listeners, event: AnyEventObject): void {
  for (const handler of [...(listeners.get(event.type) ?? []), ...(listeners.get('*') ?? [])]) {
    try {
      handler(event)
    } catch (error) {
      reportUnhandledError(error)
    }
  }
}
