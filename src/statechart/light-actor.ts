import {
  type ActorOptions,
  type ActorRef,
  type AnyActorLogic,
  type AnyActorRef,
  type AnyActorScope,
  type AnyEventObject,
  type EmittedFrom,
  type EventFromLogic,
  type InputFrom,
  type Observer,
  type Readable,
  type RequiredActorOptionsKeys,
  type Snapshot,
  type SnapshotFrom,
  type Subscription,
  toObserver,
} from 'xstate'
import { type AnyObserver, tellComplete, tellEmitted, tellError, tellNext } from './audience.ts'
import { CompiledMachine } from './compile.ts'
import { type Extras, extrasOf, noExtras } from './extras.ts'
import { withLetter, withoutOldest } from './letters.ts'
import { TableSnapshot } from './snapshot.ts'
import {
  createSystem,
  detachableScope,
  type ExecutableAction,
  type InternalSystem,
  isInspected,
  NOT_STARTED,
  observableKey,
  type ProcessingStatus,
  RUNNING,
  reportUnhandledError,
  STOPPED,
} from './xstate-internals.ts'

/** A mailbox takes events from the first `start` on; what comes while it works waits. */
const CLOSED = 0
const IDLE = 1
const BUSY = 2

/** What the option `inspect` takes: a function or an observer of XState's inspection events. */
export type Inspection = NonNullable<ActorOptions<AnyActorLogic>['inspect']>

/**
 * An actor in about 120 bytes: XState's `ActorRef`, without the objects and closures of its `Actor`.
 *
 * It runs any actor logic, lives in its parent's system or founds its own, and behaves and appears in inspection like an
 * `Actor`. Three things differ. `send` is a method: write `(event) => actor.send(event)` where XState lets you pass
 * `actor.send`. The `sessionId` is given when it is first read, so ids follow the order of creation only while somebody
 * inspects. And there is no `devTools` option.
 */
export class LightActor<TLogic extends AnyActorLogic>
  implements ActorRef<SnapshotFrom<TLogic>, EventFromLogic<TLogic>, EmittedFrom<TLogic>>
{
  readonly logic: TLogic
  declare readonly _parent?: AnyActorRef
  _snapshot: Snapshot<unknown>
  _processingStatus: ProcessingStatus = NOT_STARTED
  readonly #input: unknown
  readonly #id: string | undefined
  #extras: Extras | undefined
  #mailbox = CLOSED

  declare readonly [Symbol.observable]: () => this

  constructor(logic: TLogic, options?: ActorOptions<TLogic>) {
    const parent = options?.parent
    this.logic = logic
    this._parent = parent as AnyActorRef
    this.#input = options?.input
    this.#id = options?.id
    this.#extras = extrasOf(options)
    if (parent === undefined) this.#foundSystem(options)
    const { system } = this
    if (isInspected(system)) system._sendInspectionEvent({ type: '@xstate.actor', actorRef: this })
    const systemId = this.#extras?.systemId
    if (systemId) system._set(systemId, this)
    this._snapshot = this.#firstSnapshot(options?.snapshot ?? options?.state)
    if (systemId && this._snapshot.status !== 'active') system._unregister(this)
  }

  get #rare(): Extras {
    this.#extras ??= noExtras()
    return this.#extras
  }

  /** The identifier among its parent's children; the session's when none was given. */
  get id(): string {
    return this.#id ?? this.sessionId
  }

  /** The identifier in the whole process. */
  get sessionId(): string {
    const rare = this.#rare
    rare.sessionId ??= this.system._bookId()
    return rare.sessionId
  }

  /**
   * The type of the event that tells the parent of the end.
   *
   * A subclass with many instances may give all of them one type, which its parent's machine can name.
   */
  get doneType(): string {
    return `xstate.done.actor.${this.id}`
  }

  get system(): InternalSystem {
    return this.#extras?.system ?? (this._parent?.system as InternalSystem)
  }

  get systemId(): string | undefined {
    return this.#extras?.systemId
  }

  get src(): string | AnyActorLogic {
    return this.#extras?.src ?? this.logic
  }

  get clock(): InternalSystem['_clock'] {
    return this.#extras?.clock ?? this.system._clock
  }

  get logger(): InternalSystem['_logger'] {
    return this.#extras?.logger ?? this.system._logger
  }

  get _syncSnapshot(): boolean | undefined {
    return this.#extras?.syncSnapshot
  }

  get ref(): this {
    return this
  }

  get self(): this {
    return this
  }

  /** Starts the actor: it announces its snapshot and takes events from now on, those sent before included. */
  start(): this {
    if (this._processingStatus === RUNNING) return this
    const { system } = this
    const extras = this.#extras
    if (extras?.syncSnapshot) this.#syncWithParent()
    if (extras?.systemId) system._set(extras.systemId, this)
    this._processingStatus = RUNNING
    const event = { type: 'xstate.init', input: this.#input }
    if (isInspected(system)) {
      system._sendInspectionEvent({ type: '@xstate.event', sourceRef: this._parent, actorRef: this, event })
    }
    if (this._snapshot.status === 'done') {
      this.update(this._snapshot, event)
      return this
    }
    if (this._snapshot.status === 'error') {
      this.#fail(this._snapshot.error)
      return this
    }
    if (this._parent === undefined) system.start()
    try {
      this.logic.start?.(this._snapshot, this.#scope)
    } catch (error) {
      this.#crash(error)
      return this
    }
    this.update(this._snapshot, event)
    this.#openMailbox()
    return this
  }

  /** Sends an event. Before the start it waits; after the end it is dropped. */
  send(event: EventFromLogic<TLogic>): void {
    relay(this.system, undefined, this, event)
  }

  /**
   * Stops a root actor: observers complete, and waiting events are dropped.
   *
   * @throws {Error} When the actor has a parent, which alone may stop it.
   */
  stop(): this {
    if (this._parent !== undefined) throw new Error('A non-root actor cannot be stopped directly.')
    return this._stop()
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
      this.#rare.observers ??= new Set()
      this.#rare.observers.add(observer)
    } else if (this._snapshot.status === 'done') {
      tellComplete([observer])
    } else if (this._snapshot.status === 'error') {
      tellError([observer], this._snapshot.error)
    }
    return { unsubscribe: () => void this.#extras?.observers?.delete(observer) }
  }

  /** Listens to emitted events of one type, or of all with `'*'`. */
  on<TType extends EmittedFrom<TLogic>['type'] | '*'>(
    type: TType,
    handler: (event: EmittedFrom<TLogic> & (TType extends '*' ? unknown : { type: TType })) => void,
  ): Subscription {
    this.#rare.listeners ??= new Map()
    const { listeners } = this.#rare
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

  /** Takes an event that inspectors already know of; XState's systems and parents call it. */
  _send(event: AnyEventObject): void {
    if (this._processingStatus === STOPPED) return
    if (this.#mailbox === IDLE) this.#work(event)
    else this.#enqueue(event)
  }

  /** Stops the actor; its parent calls it, and what it has sent before is processed first. */
  _stop(): this {
    if (this._processingStatus === STOPPED) return this
    this.#dropWaiting()
    if (this._processingStatus === NOT_STARTED) this._processingStatus = STOPPED
    else this._send({ type: 'xstate.stop' })
    return this
  }

  /** Runs an effect: now, or at the start. Part of the actor scope, as are the three below. */
  actionExecutor(action: ExecutableAction): void {
    if (this._processingStatus === RUNNING) this.#execute(action)
    else this.defer(() => this.#execute(action))
  }

  get runsPlainly(): boolean {
    return this._processingStatus === RUNNING && !isInspected(this.system)
  }

  /** Keeps a task until the snapshot of the current step is in place. */
  defer(task: () => void): void {
    this.#rare.deferred ??= []
    this.#rare.deferred.push(task)
  }

  emit(event: AnyEventObject): void {
    const listeners = this.#extras?.listeners
    if (listeners !== undefined) tellEmitted(listeners, event)
  }

  stopChild(child: AnyActorRef): void {
    if (child._parent !== this) {
      throw new Error(`Cannot stop child actor ${child.id} of ${this.id} because it is not a child`)
    }
    const light = child as LightActor<AnyActorLogic>
    light._stop()
  }

  /** A compiled machine takes the actor itself for its scope; other logics may take the scope apart. */
  get #scope(): AnyActorScope {
    const scope = this as unknown as AnyActorScope
    if (this.logic instanceof CompiledMachine) return scope
    this.#rare.scope ??= detachableScope(scope)
    return this.#rare.scope
  }

  #foundSystem(options: ActorOptions<TLogic> | undefined): void {
    const { system, rootId } = createSystem(options?.clock, options?.logger)
    this.#rare.system = system
    this.#rare.sessionId = rootId
    if (options?.inspect) system.inspect(toObserver(options.inspect as never))
  }

  #firstSnapshot(persisted: Snapshot<unknown> | undefined): Snapshot<unknown> {
    try {
      if (!persisted) return this.logic.getInitialSnapshot(this.#scope, this.#input)
      return this.logic.restoreSnapshot?.(persisted, this.#scope) ?? persisted
    } catch (error) {
      return { status: 'error', output: undefined, error }
    }
  }

  #syncWithParent(): void {
    const next = (snapshot: Snapshot<unknown>) => {
      if (snapshot.status !== 'active') return
      relay(this.system, this, this._parent as AnyActorRef, { type: `xstate.snapshot.${this.id}`, snapshot })
    }
    this.subscribe({ next, error() {} })
  }

  #openMailbox(): void {
    this.#mailbox = IDLE
    const event = this.#dequeue()
    if (event !== undefined) this.#work(event)
  }

  /** Processes an event and those that arrive meanwhile. */
  #work(first: AnyEventObject): void {
    let event: AnyEventObject | undefined = first
    while (event !== undefined) {
      this.#mailbox = BUSY
      this.#process(event)
      // Not busy any more: the actor has ended on the way, and may have been started anew.
      if (this.#mailbox !== BUSY) return
      event = this.#dequeue()
    }
    this.#mailbox = IDLE
  }

  #enqueue(event: AnyEventObject): void {
    this.#rare.newest = withLetter(this.#rare.newest, event)
  }

  #dequeue(): AnyEventObject | undefined {
    const newest = this.#extras?.newest
    if (newest === undefined) return undefined
    const { event } = newest.next
    this.#rare.newest = withoutOldest(newest)
    return event
  }

  /** Drops waiting events, except that a closed mailbox keeps the oldest, as XState's does. */
  #dropWaiting(): void {
    const oldest = this.#extras?.newest?.next
    if (this.#extras !== undefined) this.#extras.newest = undefined
    if (this.#mailbox === CLOSED && oldest !== undefined) this.#enqueue(oldest.event)
  }

  #process(event: AnyEventObject): void {
    let next: Snapshot<unknown>
    try {
      next = this.logic.transition(this._snapshot, event, this.#scope)
    } catch (error) {
      this.#crash(error)
      return
    }
    this.update(next, event)
    if (event.type === 'xstate.stop') {
      this.#end()
      this.#complete()
    }
  }

  /**
   * Makes a snapshot the actor's own and tells of it.
   *
   * The one way in for every step, as in XState's `Actor`: a subclass may do something before or after.
   */
  update(snapshot: Snapshot<unknown>, event: AnyEventObject): void {
    this._snapshot = snapshot
    if (this.#extras?.deferred !== undefined) this.#runDeferred(this.#extras, snapshot)
    const { status } = this._snapshot
    if (status === 'active') {
      if (this.#extras?.observers !== undefined) tellNext(this.#extras.observers, snapshot)
    } else if (status === 'done') {
      if (this.#extras?.observers !== undefined) tellNext(this.#extras.observers, snapshot)
      this.#end()
      this.#complete()
      const { id, _parent } = this
      if (_parent !== undefined) {
        const { output } = this._snapshot
        relay(this.system, this, _parent, { type: this.doneType, output, actorId: id })
      }
    } else if (status === 'error') {
      this.#fail(this._snapshot.error)
    }
    const { system } = this
    if (isInspected(system))
      system._sendInspectionEvent({ type: '@xstate.snapshot', actorRef: this, event, snapshot })
  }

  #runDeferred(extras: Extras, snapshot: Snapshot<unknown>): void {
    for (let task = extras.deferred?.shift(); task !== undefined; task = extras.deferred?.shift()) {
      try {
        task()
      } catch (error) {
        extras.deferred = undefined
        this._snapshot = failed(snapshot, error)
      }
    }
    extras.deferred = undefined
  }

  #execute(action: ExecutableAction): void {
    const { system } = this
    if (isInspected(system)) {
      const { type, params } = action
      system._sendInspectionEvent({ type: '@xstate.action', actorRef: this, action: { type, params } })
    }
    action.exec?.(action.info, action.params)
  }

  #complete(): void {
    if (this.#extras?.observers !== undefined) tellComplete(this.#extras.observers)
    this.#dropAudience()
  }

  #crash(error: unknown): void {
    this._snapshot = failed(this._snapshot, error)
    this.#fail(error)
  }

  #fail(error: unknown): void {
    this.#end()
    const { id, _parent } = this
    if (this.#extras?.observers?.size) tellError(this.#extras.observers, error)
    else if (_parent === undefined) reportUnhandledError(error)
    this.#dropAudience()
    if (_parent !== undefined) {
      relay(this.system, this, _parent, { type: `xstate.error.actor.${id}`, error, actorId: id })
    }
  }

  #dropAudience(): void {
    if (this.#extras === undefined) return
    this.#extras.observers = undefined
    this.#extras.listeners?.clear()
  }

  #end(): void {
    if (this._processingStatus !== RUNNING) return
    const { system } = this
    // The search goes through all delayed events of the system; a compiled machine has none.
    if (!(this.logic instanceof CompiledMachine)) system.scheduler.cancelAll(this)
    if (this.#extras !== undefined) this.#extras.newest = undefined
    this.#mailbox = CLOSED
    this._processingStatus = STOPPED
    if (this.#extras?.systemId) system._unregister(this)
  }
}

Object.defineProperty(LightActor.prototype, observableKey, {
  value(this: object) {
    return this
  },
})

/**
 * Creates an actor as `createActor` does, but a light one.
 *
 * @param logic - A compiled machine, or any other actor logic.
 * @param options - XState's; with `parent` the actor lives in the parent's system and reports its end to it, without
 * being one of the parent's `children`.
 */
export function createLightActor<TLogic extends AnyActorLogic>(
  logic: TLogic,
  ...[options]: undefined extends InputFrom<TLogic>
    ? [options?: ActorOptions<TLogic>]
    : [options: ActorOptions<TLogic> & { [K in RequiredActorOptionsKeys<TLogic>]: unknown }]
): LightActor<TLogic> {
  return new LightActor(logic, options)
}

function failed(snapshot: Snapshot<unknown>, error: unknown): Snapshot<unknown> {
  if (snapshot instanceof TableSnapshot) return snapshot.failed(error) as Snapshot<unknown>
  return { ...snapshot, status: 'error', error } as Snapshot<unknown>
}

/** Tells inspectors of an event and delivers it. */
function relay(
  system: InternalSystem,
  source: AnyActorRef | undefined,
  target: AnyActorRef,
  event: AnyEventObject,
): void {
  if (isInspected(system)) system._relay(source, target, event)
  else (target as LightActor<AnyActorLogic>)._send(event)
}
