import {
  type AnyActorScope,
  type AnyEventObject,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type AnyTransitionDefinition,
  type Snapshot,
  StateMachine,
} from 'xstate'
import { inspectorsOf } from './inspection.ts'
import { persistContext, reviveContext } from './persistence.ts'
import { refuseUnsupported } from './refusals.ts'
import { refuseSpawn, runPlan, takeOutput } from './run.ts'
import { TableSnapshot, toPlain } from './snapshot.ts'
import { CUSTOM, EFFECT } from './steps.ts'
import { type Configuration, type Plan, Table } from './table.ts'
import { detachableScope, type InternalScope, type SnapshotHolder } from './xstate-internals.ts'

export interface CompileOptions {
  /**
   * Whether every function given to `assign` answers the whole context, as `{ ...context, … }` does.
   *
   * It is then taken as it is, where XState's merge into a copy would give the same. Default `false`.
   */
  readonly replacesContext?: boolean
}

/**
 * Compiles a machine: the same machine, answered from a table.
 *
 * The result is an XState `StateMachine` like the one given, for `createActor`, `createLightActor` and everything else
 * that takes a machine, except XState's function `getMicrosteps`. The table is taken from XState's own answers and
 * filled while the machine runs, so the first event of each kind is slower than those after it.
 *
 * @throws {Error} Naming state and feature, for what the table cannot answer exactly: `invoke`, `after`, `always`,
 * history, and all of XState's actions but `assign` and `emit`. `spawn` throws when it is called.
 */
export function compile<T extends AnyStateMachine>(machine: T, options: CompileOptions = {}): T {
  refuseUnsupported(machine)
  return new CompiledMachine(machine.config, machine.implementations, options) as AnyStateMachine as T
}

const noTransitions: AnyTransitionDefinition[] = Object.freeze([]) as never

export class CompiledMachine extends (StateMachine as unknown as new (
  ...args: ConstructorParameters<typeof StateMachine>
) => AnyStateMachine) {
  readonly table: Table
  readonly #options: CompileOptions

  constructor(
    config: AnyStateMachine['config'],
    implementations: AnyStateMachine['implementations'],
    options: CompileOptions,
  ) {
    super(config, implementations as never)
    this.#options = options
    this.table = new Table(this, options.replacesContext === true)
  }

  override provide(implementations: never): AnyStateMachine {
    return compile(super.provide(implementations), this.#options)
  }

  override transition(
    snapshot: AnyMachineSnapshot,
    event: AnyEventObject,
    scope: AnyActorScope,
  ): AnyMachineSnapshot {
    try {
      return this.#transition(snapshot, event, scope as unknown as InternalScope)
    } catch (error) {
      // XState's actor keeps a spread of the snapshot it had, which for ours would lose the inherited members.
      const holder = scope.self as unknown as SnapshotHolder
      if (!isOwnScope(scope) && holder._snapshot === snapshot) holder._snapshot = toPlain(snapshot)
      throw error
    }
  }

  override getInitialSnapshot(actorScope: AnyActorScope, input?: unknown): AnyMachineSnapshot {
    const scope = actorScope as unknown as InternalScope
    let context: unknown
    try {
      context = this.firstContext(input, scope)
      const { firstPlace } = this
      if (firstPlace !== undefined)
        return facade(new TableSnapshot(firstPlace, 'active', undefined, undefined, context))
      const { initial, unborn } = this.table
      const event = { type: 'xstate.init', input }
      const before = new TableSnapshot(unborn, 'active', undefined, undefined, context)
      const snapshot = this.#settle(initial, before, event, scope)
      // The same for effects on the way to the first state, which the actor runs when it starts.
      const hasEffects =
        initial.raises || initial.steps.some((step) => step.kind === CUSTOM || step.kind === EFFECT)
      const mayFail = hasEffects && !isOwnScope(actorScope)
      return mayFail ? toPlain(snapshot) : facade(snapshot)
    } catch (error) {
      return this.stillborn(error, context)
    }
  }

  /** The place in which a machine begins that does nothing on its way there; `undefined` for others. */
  get firstPlace(): Configuration | undefined {
    const { initial } = this.table
    return initial.steps.length === 0 ? initial.target : undefined
  }

  /** @throws What the machine's function throws. */
  firstContext(input: unknown, scope: InternalScope): unknown {
    const given: unknown = this.config.context
    if (typeof given !== 'function') return given || {}
    const context: unknown = given({ spawn: refuseSpawn, input, self: scope.self })
    return Object.isFrozen(context) ? { ...(context as object) } : context
  }

  /** The snapshot of a machine that failed before it was in any state. */
  stillborn(error: unknown, context: unknown = this.#givenContext): AnyMachineSnapshot {
    return facade(new TableSnapshot(this.table.unborn, 'error', undefined, error, context))
  }

  get #givenContext(): unknown {
    const given: unknown = this.config.context
    return typeof given !== 'function' && given ? given : {}
  }

  override start(snapshot: AnyMachineSnapshot): void {
    if (!(snapshot instanceof TableSnapshot)) super.start(snapshot)
  }

  override getTransitionData(snapshot: AnyMachineSnapshot, event: AnyEventObject): AnyTransitionDefinition[] {
    const own = this.#adopt(snapshot)
    if (own === undefined) return super.getTransitionData(snapshot, event)
    return [...(own.configuration.select(own.context, event)?.transitions ?? noTransitions)]
  }

  override microstep(
    snapshot: AnyMachineSnapshot,
    event: AnyEventObject,
    scope: AnyActorScope,
  ): AnyMachineSnapshot[] {
    return super.microstep(toPlain(snapshot), event, detachableScope(scope))
  }

  override getPersistedSnapshot(snapshot: AnyMachineSnapshot, options?: unknown): Snapshot<unknown> {
    if (!(snapshot instanceof TableSnapshot)) return super.getPersistedSnapshot(snapshot, options)
    const { status, output, error, value } = snapshot
    const context = persistContext(snapshot.context)
    return { status, output, error, value, historyValue: {}, context, children: {} } as Snapshot<unknown>
  }

  override restoreSnapshot(persisted: Snapshot<unknown>, scope: AnyActorScope): AnyMachineSnapshot {
    const snapshot = persisted as AnyMachineSnapshot
    const { status, output, error, context, value } = snapshot
    const known = isBare(snapshot) ? this.table.configurationAt(value) : undefined
    if (known === undefined) {
      const restored = super.restoreSnapshot(persisted, scope)
      if (!isBare(restored)) return restored
      return facade(new TableSnapshot(this.table.learnValue(value, restored), status, output, error, context))
    }
    reviveContext(context)
    return facade(new TableSnapshot(known, status, output, error, context))
  }

  #transition(snapshot: AnyMachineSnapshot, event: AnyEventObject, scope: InternalScope): AnyMachineSnapshot {
    const before = this.#adopt(snapshot)
    const { type } = event
    if (before?.status !== 'active' || type === '*') return this.#interpret(snapshot, event, scope)
    if (type === 'xstate.stop')
      return end(before.next(undefined, 'stopped', before.output, before.context), event, scope)
    if (type === 'xstate.init') return snapshot
    const plan = before.configuration.select(before.context, event)
    if (plan !== undefined) return this.follow(plan, snapshot, event, scope)
    if (type.startsWith('xstate.error.actor')) return end(before.failed(event.error), event, scope)
    inspect(before, event, scope, undefined)
    return snapshot
  }

  /** Does what `transition` does, when the plan has been chosen already. */
  follow(
    plan: Plan,
    snapshot: AnyMachineSnapshot,
    event: AnyEventObject,
    scope: InternalScope,
  ): AnyMachineSnapshot {
    const before = this.#adopt(snapshot) as TableSnapshot
    const after = this.#settle(plan, before, event, scope)
    return after === before ? snapshot : facade(after)
  }

  /** Follows a plan, and processes the done events of states that this raises. */
  #settle(first: Plan, before: TableSnapshot, cause: AnyEventObject, scope: InternalScope): TableSnapshot {
    const { maxIterations = Number.POSITIVE_INFINITY } = this.options
    const raised: AnyEventObject[] = []
    let current = before
    let plan: Plan | undefined = first
    let event = cause
    for (let iteration = 1; ; iteration++) {
      if (plan !== undefined) current = step(plan, current, event, scope, raised)
      if (event.type !== 'xstate.init') inspect(current, event, scope, plan)
      if (current.status !== 'active') return current
      if (iteration > maxIterations) throw endless(maxIterations)
      const next = raised.shift()
      if (next === undefined) return current
      event = next
      plan = current.configuration.select(current.context, event)
    }
  }

  /** Leaves what is rare to XState: machines that have ended, snapshots with children, the event type `*`. */
  #interpret(snapshot: AnyMachineSnapshot, event: AnyEventObject, scope: InternalScope): AnyMachineSnapshot {
    const plain = toPlain(snapshot)
    const next = super.transition(plain, event, detachableScope(scope as unknown as AnyActorScope))
    return next === plain ? snapshot : next
  }

  /** Makes a snapshot of XState's or of a copy of this machine ours; `undefined` when it has what ours cannot have. */
  #adopt(snapshot: AnyMachineSnapshot): TableSnapshot | undefined {
    if (snapshot instanceof TableSnapshot && snapshot.configuration.table === this.table) return snapshot
    if (!isBare(snapshot)) return undefined
    const { status, output, error, context } = snapshot
    return new TableSnapshot(this.table.intern(snapshot), status, output, error, context)
  }
}

function step(
  plan: Plan,
  before: TableSnapshot,
  event: AnyEventObject,
  scope: InternalScope,
  raised: AnyEventObject[],
): TableSnapshot {
  const context = runPlan(plan, before.context, event, scope, scope.takesEffects === true, null, raised)
  if (!plan.changes) return before
  if (plan.finishes) return before.next(plan.target, 'done', takeOutput(), context)
  return before.next(plan.target, before.status, before.output, context)
}

/** XState's error. */
const endless = (maxIterations: number): Error =>
  new Error(
    `Infinite loop detected: the machine has processed more than ${maxIterations} microsteps without reaching a ` +
      "stable state. This usually happens when there's a cycle of transitions (e.g., eventless transitions or " +
      'raised events causing state A -> B -> C -> A).',
  )

function end(snapshot: TableSnapshot, event: AnyEventObject, scope: InternalScope): AnyMachineSnapshot {
  inspect(snapshot, event, scope, undefined)
  return facade(snapshot)
}

function inspect(
  snapshot: TableSnapshot,
  event: AnyEventObject,
  scope: InternalScope,
  plan: Plan | undefined,
): void {
  inspectorsOf(scope.system)?.tellMicrostep(scope.self, event, snapshot, plan?.transitions)
}

/** Whether the scope is the actor itself, as a light actor's is. */
const isOwnScope = (scope: AnyActorScope): boolean => (scope as unknown) === scope.self

/** Whether a snapshot has neither children nor history, which ours cannot have. */
const isBare = (snapshot: AnyMachineSnapshot): boolean =>
  snapshot instanceof TableSnapshot ||
  (Object.keys(snapshot.children).length === 0 && Object.keys(snapshot.historyValue ?? {}).length === 0)

const facade = (snapshot: TableSnapshot): AnyMachineSnapshot => snapshot as unknown as AnyMachineSnapshot
