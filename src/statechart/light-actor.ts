import type {
  ActorOptions,
  ActorRef,
  AnyActorLogic,
  AnyActorRef,
  AnyActorScope,
  AnyEventObject,
  AnyMachineSnapshot,
  EmittedFrom,
  EventFromLogic,
  InputFrom,
  RequiredActorOptionsKeys,
  Snapshot,
  SnapshotFrom,
  StateValue,
} from 'xstate'
import { CompiledMachine } from './compile.ts'
import type { Extras } from './extras.ts'
import { inspectorsOf, relay } from './inspection.ts'
import { MailboxActor } from './mailbox-actor.ts'
import { runPlan, takeOutput } from './run.ts'
import type { TableSnapshot } from './snapshot.ts'
import { failedFrom, snapshotOf } from './standing-actor.ts'
import type { Configuration, Plan } from './table.ts'
import {
  detachableScope,
  type ExecutableAction,
  type InternalScope,
  NOT_STARTED,
  RUNNING,
  reportUnhandledError,
  STOPPED,
} from './xstate-internals.ts'

/** What the option `inspect` takes: a function or an observer of XState's inspection events. */
export type Inspection = NonNullable<ActorOptions<AnyActorLogic>['inspect']>

/**
 * An actor in about 130 bytes: XState's `ActorRef`, without the objects and closures of its `Actor`.
 *
 * It runs any actor logic, lives in its parent's system or founds its own, and behaves and appears in inspection like an
 * `Actor`. Four things differ. `send` is a method: write `(event) => actor.send(event)` where XState lets you pass
 * `actor.send`. The `sessionId` is given when it is first read, so ids follow the order of creation only while somebody
 * inspects. An actor that is started again after its end tells its input again only if the first start was inspected.
 * And there is no `devTools` option.
 */
export class LightActor<TLogic extends AnyActorLogic>
  extends MailboxActor<TLogic>
  implements ActorRef<SnapshotFrom<TLogic>, EventFromLogic<TLogic>, EmittedFrom<TLogic>>
{
  #input: unknown

  constructor(logic: TLogic, options?: ActorOptions<TLogic>) {
    super(logic, options)
    this.#input = options?.input
    const { system } = this
    inspectorsOf(system)?.tellActor(this)
    const systemId = this._extras?.systemId
    if (systemId) system._set(systemId, this)
    this._enter(options?.snapshot ?? options?.state, options?.input)
    if (systemId && !this.isActive) system._unregister(this)
  }

  /**
   * The type of the event that tells the parent of the end.
   *
   * A subclass with many instances may give all of them one type, which its parent's machine can name.
   */
  get doneType(): string {
    return `xstate.done.actor.${this.id}`
  }

  /** Starts the actor: it announces its snapshot and takes events from now on, those sent before included. */
  start(): this {
    if (this._processingStatus === RUNNING) return this
    const { system } = this
    const extras = this._extras
    if (extras?.syncSnapshot) this._syncWithParent()
    if (extras?.systemId) system._set(extras.systemId, this)
    this._processingStatus = RUNNING
    const input = this.#input
    const inspectors = inspectorsOf(system)
    let init: AnyEventObject | undefined
    if (inspectors === null) this.#input = undefined
    else {
      init = { type: 'xstate.init', input }
      inspectors.tellEvent(this._parent, this, init)
    }
    if (!this.isActive) {
      const snapshot = this._snapshot
      if (snapshot.status === 'done') this.update(snapshot, init ?? { type: 'xstate.init', input })
      if (snapshot.status === 'error') this._fail(snapshot.error)
      if (snapshot.status !== 'stopped') return this
    }
    if (this._parent === undefined) system.start()
    try {
      // Nothing but children would be started, and a machine in a place has none.
      if (this._place === undefined) this.logic.start?.(this._snapshot, this._scope)
    } catch (error) {
      this._crash(error)
      return this
    }
    if (this._place === undefined || init !== undefined)
      this.update(this._snapshot, init ?? { type: 'xstate.init', input })
    else this._tell()
    this._openMailbox()
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

  /**
   * Called when a step of a machine is about to become the actor's state; a subclass may keep books by it.
   *
   * @param hasChanged - Whether the snapshot changes: `false` for an event that the machine does not react to.
   */
  stepping(_to: StateValue, _hasChanged: boolean, _event: AnyEventObject): void {}

  /** Called when everybody has been told of a step. */
  stepped(): void {}

  /** Stops the actor; its parent calls it, and what it has sent before is processed first. */
  _stop(): this {
    if (this._processingStatus === STOPPED) return this
    this._dropWaiting()
    if (this._processingStatus === NOT_STARTED) this._processingStatus = STOPPED
    else this._send({ type: 'xstate.stop' })
    return this
  }

  /** Runs an effect: now, or at the start. Part of the actor scope, as are the two below. */
  actionExecutor(action: ExecutableAction): void {
    if (this._processingStatus === RUNNING) this._execute(action)
    else this.defer(() => this._execute(action))
  }

  /** Keeps a task until the snapshot of the current step is in place. */
  defer(task: () => void): void {
    this._rare.deferred ??= []
    this._rare.deferred.push(task)
  }

  stopChild(child: AnyActorRef): void {
    if (child._parent !== this) {
      throw new Error(`Cannot stop child actor ${child.id} of ${this.id} because it is not a child`)
    }
    const light = child as LightActor<AnyActorLogic>
    light._stop()
  }

  /** A compiled machine takes the actor itself for its scope; other logics may take the scope apart. */
  get _scope(): AnyActorScope {
    const scope = this as unknown as AnyActorScope
    if (this.logic instanceof CompiledMachine) return scope
    this._rare.scope ??= detachableScope(scope)
    return this._rare.scope
  }

  _syncWithParent(): void {
    const next = (snapshot: Snapshot<unknown>) => {
      if (snapshot.status !== 'active') return
      relay(this.system, this, this._parent as AnyActorRef, { type: `xstate.snapshot.${this.id}`, snapshot })
    }
    this.subscribe({ next, error() {} })
  }

  _handle(event: AnyEventObject): void {
    const place = this._place
    if (place !== undefined) this._step(place, event)
    else this._process(event)
  }

  _process(event: AnyEventObject): void {
    let next: Snapshot<unknown>
    try {
      next = this.logic.transition(this._snapshot, event, this._scope)
    } catch (error) {
      this._crash(error)
      return
    }
    this.update(next, event)
    if (event.type === 'xstate.stop') {
      this._end()
      this._tellComplete()
    }
  }

  _step(place: Configuration, event: AnyEventObject): void {
    const reactions = place.reactionsTo(event.type)
    if (reactions.isSpecial) {
      this._process(event)
      return
    }
    let plan: Plan | undefined
    try {
      plan = place.choose(reactions, this._context, event)
    } catch (error) {
      this._crash(error)
      return
    }
    if (plan?.raises) this._follow(plan, event)
    else this._advance(place, plan, event)
  }

  /** Takes a compiled machine one step further. Only inspectors get a snapshot: else nobody may ever look at it. */
  _advance(place: Configuration, plan: Plan | undefined, event: AnyEventObject): void {
    const inspectors = inspectorsOf(this.system)
    const target = plan?.target ?? place
    const hasChanged = plan?.changes === true
    let context = this._context
    let output = this._output
    let made: Snapshot<unknown> | undefined
    try {
      if (plan !== undefined) context = runPlan(plan, context, event, this, true, inspectors, undefined)
      if (plan?.finishes) output = takeOutput()
      if (inspectors !== null) {
        made = hasChanged ? snapshotOf(target, output, context) : this._snapshot
        inspectors.tellMicrostep(this, event, made, plan?.transitions)
      }
    } catch (error) {
      this._crash(error)
      return
    }
    this.stepping(target.value, hasChanged, event)
    if (hasChanged) {
      this._place = target
      this._context = context
      this._output = output
      this._made = made
    }
    this._tell()
    // An effect may have called the first inspector.
    inspectorsOf(this.system)?.tellSnapshot(this, event, made ?? this._snapshot)
    this.stepped()
  }

  /**
   * Takes a step of which is known where it leads.
   *
   * It goes through the machine all the same while somebody inspects, who is to hear of all that lies between.
   */
  _sendKnown(event: AnyEventObject, next: Snapshot<unknown>): void {
    if (inspectorsOf(this.system) !== null) {
      super._send(event)
      return
    }
    this.stepping((next as unknown as TableSnapshot).value, true, event)
    this._stand(next)
    this._tell()
    this.stepped()
  }

  /** Takes a step that raises events, whose steps follow at once. */
  _follow(plan: Plan, event: AnyEventObject): void {
    const machine = this.logic as unknown as CompiledMachine
    const scope = this as unknown as InternalScope
    let next: Snapshot<unknown>
    try {
      next = machine.follow(plan, this._snapshot as AnyMachineSnapshot, event, scope)
    } catch (error) {
      this._crash(error)
      return
    }
    this.update(next, event)
  }

  /**
   * Makes a snapshot the actor's own and tells of it.
   *
   * The one way in for every step that has a snapshot, as in XState's `Actor`.
   */
  update(snapshot: Snapshot<unknown>, event: AnyEventObject): void {
    const hasChanged = snapshot !== this._snapshot
    if (event.type !== 'xstate.init')
      this.stepping((snapshot as unknown as TableSnapshot).value, hasChanged, event)
    if (hasChanged) this._snapshot = snapshot
    this._tell()
    inspectorsOf(this.system)?.tellSnapshot(this, event, snapshot)
    if (event.type !== 'xstate.init') this.stepped()
  }

  /** Tells observers of the state that was just reached, and the parent when it is the last. */
  _tell(): void {
    if (this._extras?.deferred !== undefined) this._runDeferred(this._extras)
    if (this.isActive) {
      this._tellNext()
      return
    }
    if (this._place === undefined) {
      const { status, error } = this._snapshot
      if (status === 'error') this._fail(error)
      if (status !== 'done') return
    }
    this._tellNext()
    this._end()
    this._tellComplete()
    const { _parent, output } = this
    if (_parent === undefined) return
    relay(this.system, this, _parent, { type: this.doneType, output, actorId: this.id })
  }

  _runDeferred(extras: Extras): void {
    const snapshot = this._snapshot
    for (let task = extras.deferred?.shift(); task !== undefined; task = extras.deferred?.shift()) {
      try {
        task()
      } catch (error) {
        extras.deferred = undefined
        this._snapshot = failedFrom(snapshot, error)
      }
    }
    extras.deferred = undefined
  }

  _execute(action: ExecutableAction): void {
    inspectorsOf(this.system)?.tellAction(this, action.type, action.params)
    action.exec?.(action.info, action.params)
  }

  _crash(error: unknown): void {
    this._snapshot = failedFrom(this._snapshot, error)
    this._fail(error)
  }

  _fail(error: unknown): void {
    this._end()
    const { _parent } = this
    const isHeard = this._tellError(error)
    if (_parent !== undefined) {
      const { id } = this
      relay(this.system, this, _parent, { type: `xstate.error.actor.${id}`, error, actorId: id })
    } else if (!isHeard) reportUnhandledError(error)
  }

  _end(): void {
    if (this._processingStatus !== RUNNING) return
    const { system } = this
    // The search goes through all delayed events of the system; a compiled machine has none.
    if (!(this.logic instanceof CompiledMachine)) system.scheduler.cancelAll(this)
    this._closeMailbox()
    this._processingStatus = STOPPED
    if (this._extras?.systemId) system._unregister(this)
  }
}

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
