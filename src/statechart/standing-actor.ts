import type { AnyActorLogic, AnyActorScope, Snapshot, StateValue } from 'xstate'
import { ActorBase } from './actor-base.ts'
import { CompiledMachine } from './compile.ts'
import { TableSnapshot } from './snapshot.ts'
import type { Configuration } from './table.ts'

/**
 * Where a light actor stands: its snapshot, or what one is made of.
 *
 * Of a compiled machine it keeps place, context and output, and makes the snapshot when somebody looks: between two
 * looks, a step costs no more than its row of the table.
 */
export abstract class StandingActor<TLogic extends AnyActorLogic> extends ActorBase<TLogic> {
  /** Where a compiled machine stands; `undefined` while only the snapshot tells, as with any other logic. */
  _place: Configuration | undefined = undefined
  _context: unknown = undefined
  _output: unknown = undefined
  /** Of a place: made when somebody looks, and kept until the next change. */
  _made: Snapshot<unknown> | undefined = undefined

  abstract get _scope(): AnyActorScope

  get _snapshot(): Snapshot<unknown> {
    this._made ??= snapshotOf(this._place as Configuration, this._output, this._context)
    return this._made
  }

  set _snapshot(snapshot: Snapshot<unknown>) {
    const place = placeOf(snapshot, this.logic)
    this._place = place
    this._made = snapshot
    this._context = place === undefined ? undefined : (snapshot as { context?: unknown }).context
    this._output = place === undefined ? undefined : snapshot.output
  }

  /** Takes up what a snapshot tells, and makes one like it when somebody looks. */
  _stand(snapshot: Snapshot<unknown>): void {
    this._snapshot = snapshot
    if (this._place !== undefined) this._made = undefined
  }

  /** Whether the actor has neither ended nor failed: `status` of its snapshot is `active`. */
  get isActive(): boolean {
    return this._place === undefined ? this._snapshot.status === 'active' : !this._place.isFinal
  }

  /** `value` of the snapshot of a machine. */
  get stateValue(): StateValue {
    return this._place === undefined ? (this._snapshot as unknown as TableSnapshot).value : this._place.value
  }

  /** `context` of the snapshot. */
  get context(): unknown {
    return this._place === undefined ? (this._snapshot as unknown as TableSnapshot).context : this._context
  }

  /** `output` of the snapshot; `undefined` until the actor is done. */
  get output(): unknown {
    return this._place === undefined ? this._snapshot.output : this._output
  }

  /** Takes up the first state, or a persisted one. */
  _enter(persisted: Snapshot<unknown> | undefined, input: unknown): void {
    const { logic } = this
    const place = persisted === undefined && logic instanceof CompiledMachine ? logic.firstPlace : undefined
    try {
      if (place !== undefined) {
        this._context = (logic as unknown as CompiledMachine).firstContext(input, this as never)
        this._place = place
      } else if (persisted) this._snapshot = logic.restoreSnapshot?.(persisted, this._scope) ?? persisted
      else this._snapshot = logic.getInitialSnapshot(this._scope, input)
    } catch (error) {
      this._snapshot =
        place === undefined
          ? { status: 'error', output: undefined, error }
          : (logic as unknown as CompiledMachine).stillborn(error)
    }
  }
}

/** The snapshot of an actor that has failed where it stood. */
export function failedFrom(snapshot: Snapshot<unknown>, error: unknown): Snapshot<unknown> {
  if (snapshot instanceof TableSnapshot) return snapshot.failed(error) as Snapshot<unknown>
  return { ...snapshot, status: 'error', error } as Snapshot<unknown>
}

/** The place of a snapshot that follows from it and its context alone, and can be made again from them. */
function placeOf(snapshot: Snapshot<unknown>, logic: AnyActorLogic): Configuration | undefined {
  if (!(snapshot instanceof TableSnapshot)) return undefined
  const { configuration, status, error } = snapshot as TableSnapshot
  const isOwn = logic instanceof CompiledMachine && logic.table === configuration.table
  if (!isOwn || status !== (configuration.isFinal ? 'done' : 'active') || error !== undefined)
    return undefined
  return configuration
}

export function snapshotOf(place: Configuration, output: unknown, context: unknown): Snapshot<unknown> {
  const status = place.isFinal ? 'done' : 'active'
  return new TableSnapshot(place, status, output, undefined, context) as unknown as Snapshot<unknown>
}
