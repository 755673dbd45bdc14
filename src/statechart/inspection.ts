import {
  type AnyActorRef,
  type AnyEventObject,
  type AnyTransitionDefinition,
  type InspectionEvent,
  type Observer,
  type Snapshot,
  toObserver,
} from 'xstate'
import type { InternalSystem } from './xstate-internals.ts'

const noTransitions: readonly AnyTransitionDefinition[] = Object.freeze([])

/**
 * Whoever inspects a system: is told of its life in XState's inspection events.
 *
 * Each event is made once, in the shape that inspectors get.
 */
export abstract class Inspectors {
  /** In every event; absent where XState copies the event and adds it. */
  readonly #rootId: string | undefined

  constructor(rootId: string | undefined) {
    this.#rootId = rootId
  }

  abstract tell(event: object): void

  tellActor(actorRef: AnyActorRef): void {
    this.tell({ type: '@xstate.actor', actorRef, rootId: this.#rootId })
  }

  tellEvent(sourceRef: AnyActorRef | undefined, actorRef: AnyActorRef, event: AnyEventObject): void {
    this.tell({ type: '@xstate.event', sourceRef, actorRef, event, rootId: this.#rootId })
  }

  tellMicrostep(
    actorRef: AnyActorRef,
    event: AnyEventObject,
    snapshot: unknown,
    transitions: readonly AnyTransitionDefinition[] | undefined,
  ): void {
    const _transitions = transitions ?? noTransitions
    this.tell({ type: '@xstate.microstep', actorRef, event, snapshot, _transitions, rootId: this.#rootId })
  }

  tellAction(actorRef: AnyActorRef, type: string, params: unknown): void {
    this.tell({ type: '@xstate.action', actorRef, action: { type, params }, rootId: this.#rootId })
  }

  tellSnapshot(actorRef: AnyActorRef, event: AnyEventObject, snapshot: Snapshot<unknown>): void {
    this.tell({ type: '@xstate.snapshot', actorRef, event, snapshot, rootId: this.#rootId })
  }
}

/** Those of a system that a light actor founded. */
class OwnInspectors extends Inspectors {
  readonly #observers = new Set<Observer<InspectionEvent>>()

  tell(event: object): void {
    for (const observer of this.#observers) observer.next?.(event as InspectionEvent)
  }

  add(observer: Observer<InspectionEvent>): { unsubscribe(): void } {
    this.#observers.add(observer)
    return { unsubscribe: () => void this.#observers.delete(observer) }
  }
}

/** Those of a system that an XState `Actor` founded, which alone knows them. */
class ForeignInspectors extends Inspectors {
  readonly #system: InternalSystem

  constructor(system: InternalSystem) {
    super(undefined)
    this.#system = system
  }

  tell(event: object): void {
    this.#system._sendInspectionEvent(event)
  }
}

const inspectors = Symbol('inspectors')

/** A system that knows whether it was ever inspected; `undefined` until somebody has found out. */
type Marked = InternalSystem & { [inspectors]?: Inspectors | null }

/**
 * Those who inspect the system; `null` when nobody does. One that was ever inspected counts as inspected.
 *
 * XState does not tell, and building an inspection event for nobody costs more than asking.
 */
export function inspectorsOf(system: InternalSystem): Inspectors | null {
  return (system as Marked)[inspectors] ?? findOut(system)
}

export function isInspected(system: InternalSystem): boolean {
  return inspectorsOf(system) !== null
}

function findOut(system: Marked): Inspectors | null {
  return system[inspectors] === undefined ? watchInspection(system) : null
}

/** Lets a system keep its inspectors here, where an event reaches them without the copy that XState makes of each. */
export function ownInspection(system: InternalSystem, rootId: string): void {
  const own = new OwnInspectors(rootId)
  const marked = system as Marked
  marked[inspectors] = null
  marked.inspect = (observer) => {
    marked[inspectors] = own
    return own.add(toObserver(observer as never))
  }
  // For XState's actors in this system.
  marked._sendInspectionEvent = (event) => {
    if (marked[inspectors] !== null) own.tell({ ...event, rootId })
  }
}

const alarm = Symbol('an inspector reads this event')
const probe: object = Object.defineProperty({}, 'type', {
  enumerable: true,
  get() {
    throw alarm
  },
})

/**
 * Finds out whether a system of XState's is inspected, and watches it from then on.
 *
 * XState copies an event before handing it out, and the probe cannot be copied: only an inspector makes it try.
 */
function watchInspection(system: Marked): Inspectors | null {
  const { inspect } = system
  const foreign = new ForeignInspectors(system)
  system.inspect = (observer) => {
    system[inspectors] = foreign
    return inspect(observer)
  }
  try {
    system._sendInspectionEvent(probe)
    system[inspectors] = null
  } catch (error) {
    if (error !== alarm) throw error
    system[inspectors] = foreign
  }
  return system[inspectors]
}

/** Tells inspectors of an event and delivers it. */
export function relay(
  system: InternalSystem,
  source: AnyActorRef | undefined,
  target: AnyActorRef,
  event: AnyEventObject,
): void {
  inspectorsOf(system)?.tellEvent(source, target, event)
  ;(target as AnyActorRef & { _send(event: AnyEventObject): void })._send(event)
}
