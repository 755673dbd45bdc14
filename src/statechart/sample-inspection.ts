import { type AnyActorRef, type InspectionEvent, type Observer, toObserver } from 'xstate'

/** Stately's inspectors, as far as they are used here: `inspect`, and words of one's own about an actor that is none. */
export interface SampledInspector {
  readonly inspect: Observer<InspectionEvent> | ((event: InspectionEvent) => void)
  actor?(sessionId: string, snapshot: { readonly status: 'active'; readonly context: Sampled }): void
  snapshot?(sessionId: string, snapshot: { readonly status: 'active'; readonly context: Sampled }): void
}

export interface SampleOptions {
  /** How many actors of one logic are shown before any is left out. Default 100. */
  readonly firstActors?: number
}

/** How much is shown. */
export interface Sampled {
  readonly shown: number
  readonly leftOut: number
}

export interface SampledInspection extends Observer<InspectionEvent> {
  next(event: InspectionEvent): void
  readonly sampled: Sampled
}

/** The actor by which an inspector is told that others are left out. */
const SAMPLED_ACTOR = 'sampled'
const FIRST_ACTORS = 100
/** The number of those left out is told again once it has grown by this. */
const TOLD_AGAIN_FROM = 1.1

/**
 * Makes the `inspect` of a large system for an inspector that takes each event as a message of its own, as Stately's do.
 *
 * Whole actors are left out, with all that is below them. Of each logic the first 100 are shown, of the next 100 every second,
 * of the next 200 every fourth, and so on: some 600 of 100,000 jobs, from the start to the end, and the same ones in each run.
 * The inspector shows an actor named `sampled`, whose context tells how many are shown and, to a tenth, how many are left out.
 */
export function sampleInspection(
  inspector: SampledInspector,
  { firstActors = FIRST_ACTORS }: SampleOptions = {},
): SampledInspection {
  if (!Number.isInteger(firstActors) || firstActors < 1)
    throw new RangeError(`Expected firstActors to be a whole number from 1, but got ${firstActors}.`)
  return new Sample(inspector, firstActors)
}

class Sample implements SampledInspection {
  readonly #inspector: SampledInspector
  readonly #observer: Observer<InspectionEvent>
  readonly #firstActors: number
  readonly #counts = new WeakMap<object, number>()
  readonly #kept = new WeakSet<AnyActorRef>()
  #shown = 0
  #leftOut = 0
  #told = 0

  constructor(inspector: SampledInspector, firstActors: number) {
    this.#inspector = inspector
    this.#observer = toObserver(inspector.inspect)
    this.#firstActors = firstActors
  }

  get sampled(): Sampled {
    return { shown: this.#shown, leftOut: this.#leftOut }
  }

  next(event: InspectionEvent): void {
    const actorRef = event.actorRef as AnyActorRef
    if (event.type === '@xstate.actor') this.#meet(actorRef)
    if (this.#kept.has(actorRef)) this.#observer.next?.(event)
  }

  #meet(actorRef: AnyActorRef): void {
    const { _parent: parent, logic } = actorRef as AnyActorRef & {
      readonly _parent?: AnyActorRef
      readonly logic: object
    }
    if ((parent === undefined || this.#kept.has(parent)) && this.#isShown(logic)) {
      this.#kept.add(actorRef)
      this.#shown++
    } else {
      this.#leftOut++
      this.#tell()
    }
  }

  #isShown(logic: object): boolean {
    const index = this.#counts.get(logic) ?? 0
    this.#counts.set(logic, index + 1)
    if (index < this.#firstActors) return true
    const stride = 2 ** (Math.floor(Math.log2(index / this.#firstActors)) + 1)
    return index % stride === 0
  }

  #tell(): void {
    if (this.#leftOut < this.#told * TOLD_AGAIN_FROM) return
    const snapshot = { status: 'active', context: this.sampled } as const
    if (this.#told === 0) this.#inspector.actor?.(SAMPLED_ACTOR, snapshot)
    else this.#inspector.snapshot?.(SAMPLED_ACTOR, snapshot)
    this.#told = this.#leftOut
  }
}
