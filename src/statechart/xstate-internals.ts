import {
  Actor,
  type AnyActorLogic,
  type AnyActorRef,
  type AnyActorScope,
  type AnyEventObject,
  and,
  assign,
  createActor,
  emit,
  not,
  or,
  stateIn,
} from 'xstate'

/*
 * The only file that reaches below XState's public API. What is relied on is written as types here and checked
 * against the installed version by `test/statechart/xstate-internals.test.ts`.
 */

type System = AnyActorRef['system']

/** The members of an actor system that XState keeps out of its published types. */
export interface InternalSystem extends System {
  _bookId(): string
  _set(systemId: string, actor: AnyActorRef): void
  _unregister(actor: AnyActorRef): void
  _relay(source: AnyActorRef | undefined, target: AnyActorRef, event: AnyEventObject): void
  _sendInspectionEvent(event: object): void
}

/** An actor's state in its own life, with XState's numbers: its code and `@xstate/react` compare with them. */
export type ProcessingStatus = 0 | 1 | 2
export const NOT_STARTED = 0
export const RUNNING = 1
export const STOPPED = 2

/** The actor that an XState `Actor` keeps its snapshot on; read and replaced only when a transition throws. */
export interface SnapshotHolder {
  _snapshot: unknown
}

/** What XState hands to a custom action; `exec` is absent when the action has no implementation. */
export interface ExecutableAction {
  readonly type: string
  readonly info: ActionArgs
  readonly params: unknown
  readonly exec: ((info: ActionArgs, params: unknown) => void) | undefined
}

export interface ActionArgs {
  readonly context: unknown
  readonly event: AnyEventObject
  readonly self: AnyActorRef
  readonly system: InternalSystem
}

/** The part of an actor scope which a machine uses. */
export interface InternalScope {
  readonly self: AnyActorRef
  readonly system: InternalSystem
  actionExecutor(action: ExecutableAction): void
  /** Whether `self` is an {@link EffectTaker} that takes effects at once, also those of a transition that is not its own. */
  readonly takesEffects?: boolean
}

/** An action or guard which XState runs itself, recognised by the function that gives it its meaning. */
export interface BuiltinAction {
  readonly type: string
  readonly resolve: (...args: never[]) => unknown
}
export interface AssignAction extends BuiltinAction {
  readonly assignment: unknown
}
export interface EmitAction extends BuiltinAction {
  resolve(
    scope: unknown,
    snapshot: unknown,
    args: ActionArgs,
    params: unknown,
    action: unknown,
  ): [unknown, unknown]
  execute(scope: unknown, params: unknown): void
}
export interface BuiltinGuard {
  readonly check: unknown
  readonly guards?: readonly unknown[]
  readonly stateValue?: unknown
}

const resolveOf = (action: unknown) => (action as BuiltinAction).resolve
const checkOf = (guard: unknown) => (guard as BuiltinGuard).check

const resolveAssign = resolveOf(assign({}))
const resolveEmit = resolveOf(emit({ type: '' }))
const checkAnd = checkOf(and([]))
const checkOr = checkOf(or([]))
const checkNot = checkOf(not(() => true))
const checkStateIn = checkOf(stateIn(''))

export const isBuiltinAction = (action: unknown): action is BuiltinAction =>
  typeof action === 'function' && 'resolve' in action

export const isAssign = (action: BuiltinAction): action is AssignAction => action.resolve === resolveAssign

export const isEmit = (action: BuiltinAction): action is EmitAction => action.resolve === resolveEmit

/** Says which of XState's higher-order guards this is; `undefined` for one we do not know. */
export function builtinGuardKind(guard: BuiltinGuard): 'and' | 'or' | 'not' | 'stateIn' | undefined {
  if (guard.check === checkAnd) return 'and'
  if (guard.check === checkOr) return 'or'
  if (guard.check === checkNot) return 'not'
  return guard.check === checkStateIn ? 'stateIn' : undefined
}

const idleLogic: AnyActorLogic = {
  transition: (snapshot) => snapshot,
  getInitialSnapshot: (_scope, input) => input,
  getPersistedSnapshot: (snapshot) => snapshot,
}

/**
 * Creates an actor system, for an actor that has no parent.
 *
 * XState makes one only inside its `Actor`, so an idle one is the host; the root takes over the host's `sessionId`,
 * which is the `rootId` of every inspection event.
 */
export function createSystem(
  clock: InternalSystem['_clock'] | undefined,
  logger: InternalSystem['_logger'] | undefined,
): { system: InternalSystem; rootId: string } {
  const host = createActor(idleLogic, {
    ...(clock && { clock }),
    ...(logger && { logger }),
    input: { status: 'active' },
  })
  return { system: host.system as unknown as InternalSystem, rootId: host.sessionId }
}

/**
 * Throws the error in a task of its own, where the process' handlers see it.
 *
 * This is what XState does for an actor without parent or observers, so such an actor is made to fail with it.
 */
export function reportUnhandledError(error: unknown): void {
  createActor(idleLogic, { input: { status: 'error', error } }).start()
}

/** The key under which XState's actors offer themselves as observables: `Symbol.observable` or its stand-in. */
export const observableKey: PropertyKey =
  Object.getOwnPropertySymbols(Actor.prototype)[0] ?? ('@@observable' satisfies string)

/**
 * Makes a scope whose functions may be called apart from it, as XState's own machines and actor logics do.
 *
 * @param scope - A scope whose methods need their `this`.
 */
export function detachableScope(scope: AnyActorScope): AnyActorScope {
  return {
    self: scope.self,
    id: scope.id,
    sessionId: scope.sessionId,
    logger: scope.logger,
    system: scope.system,
    defer: (task) => scope.defer(task),
    emit: (event) => scope.emit(event),
    stopChild: (child) => scope.stopChild(child),
    actionExecutor: (action) => scope.actionExecutor(action),
  }
}
