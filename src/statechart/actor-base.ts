import {
  type ActorOptions,
  type AnyActorLogic,
  type AnyActorRef,
  type AnyEventObject,
  type EmittedFrom,
  type Observer,
  type Readable,
  type Snapshot,
  type SnapshotFrom,
  type Subscription,
  toObserver,
} from 'xstate'
import { type AnyObserver, tellComplete, tellEmitted, tellError, tellNext } from './audience.ts'
import { type Extras, extrasOf, noExtras } from './extras.ts'
import { ownInspection } from './inspection.ts'
import {
  createSystem,
  type InternalSystem,
  NOT_STARTED,
  observableKey,
  type ProcessingStatus,
  STOPPED,
} from './xstate-internals.ts'

/** What others see of a light actor: who it is, where it lives, and how to listen to it. */
export abstract class ActorBase<TLogic extends AnyActorLogic> {
  readonly logic: TLogic
  readonly system: InternalSystem
  declare readonly _parent?: AnyActorRef
  _processingStatus: ProcessingStatus = NOT_STARTED
  /** What few actors have; `undefined` while this one has none of it. */
  _extras: Extras | undefined
  readonly #id: string | undefined

  declare readonly [Symbol.observable]: () => this

  constructor(logic: TLogic, options: ActorOptions<TLogic> | undefined) {
    const parent = options?.parent
    this.logic = logic
    this._parent = parent as AnyActorRef
    this.#id = options?.id
    this._extras = extrasOf(options)
    if (parent !== undefined) {
      this.system = parent.system as InternalSystem
      return
    }
    const { system, rootId } = createSystem(options?.clock, options?.logger)
    ownInspection(system, rootId)
    this.system = system
    this._rare.sessionId = rootId
    if (options?.inspect) system.inspect(toObserver(options.inspect as never))
  }

  abstract _snapshot: Snapshot<unknown>

  /** The extras, made when they are needed. */
  get _rare(): Extras {
    this._extras ??= noExtras()
    return this._extras
  }

  /** The identifier among its parent's children; the session's when none was given. */
  get id(): string {
    return this.#id ?? this.sessionId
  }

  /** The identifier in the whole process. */
  get sessionId(): string {
    const rare = this._rare
    rare.sessionId ??= this.system._bookId()
    return rare.sessionId
  }

  get systemId(): string | undefined {
    return this._extras?.systemId
  }

  get src(): string | AnyActorLogic {
    return this._extras?.src ?? this.logic
  }

  get clock(): InternalSystem['_clock'] {
    return this._extras?.clock ?? this.system._clock
  }

  get logger(): InternalSystem['_logger'] {
    return this._extras?.logger ?? this.system._logger
  }

  get _syncSnapshot(): boolean | undefined {
    return this._extras?.syncSnapshot
  }

  get ref(): this {
    return this
  }

  get self(): this {
    return this
  }

  getSnapshot(): SnapshotFrom<TLogic> {
    return this._snapshot as SnapshotFrom<TLogic>
  }

  getPersistedSnapshot(options?: unknown): Snapshot<unknown> {
    return this.logic.getPersistedSnapshot(this._snapshot, options)
  }

  /** Observes snapshots, the end and the failure; an actor that has ended says so at once. */
  subscribe(observer: Observer<SnapshotFrom<TLogic>>): Subscription
  subscribe(
    next?: (snapshot: SnapshotFrom<TLogic>) => void,
    error?: (error: unknown) => void,
    complete?: () => void,
  ): Subscription
  subscribe(next?: unknown, error?: unknown, complete?: unknown): Subscription {
    const observer: AnyObserver = toObserver(next as never, error as never, complete as never)
    if (this._processingStatus !== STOPPED) {
      this._rare.observers ??= new Set()
      this._rare.observers.add(observer)
    } else if (this._snapshot.status === 'done') {
      tellComplete([observer])
    } else if (this._snapshot.status === 'error') {
      tellError([observer], this._snapshot.error)
    }
    return { unsubscribe: () => void this._extras?.observers?.delete(observer) }
  }

  /** Listens to emitted events of one type, or of all with `'*'`. */
  on<TType extends EmittedFrom<TLogic>['type'] | '*'>(
    type: TType,
    handler: (event: EmittedFrom<TLogic> & (TType extends '*' ? unknown : { type: TType })) => void,
  ): Subscription {
    this._rare.listeners ??= new Map()
    const { listeners } = this._rare
    const handlers = listeners.get(type) ?? new Set()
    listeners.set(type, handlers)
    const bound = handler.bind(undefined) as (event: AnyEventObject) => void
    handlers.add(bound)
    return { unsubscribe: () => void handlers.delete(bound) }
  }

  /** Observes a part of the snapshots: only changes of the selected value are told. */
  select<TSelected>(
    selector: (snapshot: SnapshotFrom<TLogic>) => TSelected,
    equal: (a: TSelected, b: TSelected) => boolean = Object.is,
  ): Readable<TSelected> {
    const subscribe = (next: unknown): Subscription => {
      const observer = toObserver(next as never) as Observer<TSelected>
      let previous = selector(this.getSnapshot())
      return this.subscribe((snapshot) => {
        const selected = selector(snapshot)
        if (equal(previous, selected)) return
        previous = selected
        observer.next?.(selected)
      })
    }
    return { subscribe, get: () => selector(this.getSnapshot()) } as Readable<TSelected>
  }

  toJSON(): { xstate$$type: number; id: string } {
    return { xstate$$type: 1, id: this.id }
  }

  emit(event: AnyEventObject): void {
    const listeners = this._extras?.listeners
    if (listeners !== undefined) tellEmitted(listeners, event)
  }

  /** Gives the snapshot to all observers; it is made only when there are any. */
  _tellNext(): void {
    const observers = this._extras?.observers
    if (observers !== undefined) tellNext(observers, this._snapshot)
  }

  /** Says that there is no more to hear. */
  _tellComplete(): void {
    const observers = this._extras?.observers
    if (observers !== undefined) tellComplete(observers)
    dropAudience(this._extras)
  }

  /** @returns Whether anybody was there to be told. */
  _tellError(error: unknown): boolean {
    const observers = this._extras?.observers
    const isHeard = observers !== undefined && observers.size > 0
    if (isHeard) tellError(observers, error)
    dropAudience(this._extras)
    return isHeard
  }
}

function dropAudience(extras: Extras | undefined): void {
  if (extras === undefined) return
  extras.observers = undefined
  extras.listeners?.clear()
}

Object.defineProperty(ActorBase.prototype, observableKey, {
  value(this: object) {
    return this
  },
})
