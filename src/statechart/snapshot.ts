import {
  type AnyEventObject,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type AnyStateNode,
  matchesState,
  type SnapshotStatus,
  type StateValue,
} from 'xstate'
import type { Configuration } from './table.ts'

const nothing = Object.freeze({})

/**
 * A snapshot of a compiled machine: XState's `MachineSnapshot`, in 72 bytes.
 *
 * What follows from the active states alone (nodes, value, tags, metadata) is shared by all snapshots in them. Spreading
 * one keeps `status`, `output`, `error`, `context` and `value`; `toPlain` gives an object which keeps everything.
 */
export class TableSnapshot {
  readonly status: SnapshotStatus
  readonly output: unknown
  readonly error: unknown
  readonly context: unknown
  readonly value: StateValue
  readonly #configuration: Configuration

  constructor(
    configuration: Configuration,
    status: SnapshotStatus,
    output: unknown,
    error: unknown,
    context: unknown,
  ) {
    this.status = status
    this.output = output
    this.error = error
    this.context = context
    this.value = configuration.value
    this.#configuration = configuration
  }

  /** The snapshot after a step; the states stay when `target` is `undefined`. */
  next(
    target: Configuration | undefined,
    status: SnapshotStatus,
    output: unknown,
    context: unknown,
  ): TableSnapshot {
    return new TableSnapshot(target ?? this.#configuration, status, output, this.error, context)
  }

  failed(error: unknown): TableSnapshot {
    return new TableSnapshot(this.#configuration, 'error', this.output, error, this.context)
  }

  get configuration(): Configuration {
    return this.#configuration
  }

  get machine(): AnyStateMachine {
    return this.#configuration.table.machine
  }

  get _nodes(): readonly AnyStateNode[] {
    return this.#configuration.nodes
  }

  get tags(): Set<string> {
    return this.#configuration.tags
  }

  /** A compiled machine has no children. */
  get children(): object {
    return nothing
  }

  /** A compiled machine has no history. */
  get historyValue(): object {
    return nothing
  }

  matches(value: StateValue): boolean {
    return matchesState(value, this.value)
  }

  hasTag(tag: string): boolean {
    return this.tags.has(tag)
  }

  can(event: AnyEventObject): boolean {
    const transitions = this.machine.getTransitionData(this as unknown as AnyMachineSnapshot, event)
    return transitions.some((transition) => transition.target !== undefined || transition.actions.length > 0)
  }

  getMeta(): Record<string, unknown> {
    const nodes = this._nodes.filter((node) => node.meta !== undefined)
    return Object.fromEntries(nodes.map((node) => [node.id, node.meta]))
  }

  toJSON(): object {
    const { status, output, error, context, value, children, historyValue, tags } = this
    return { status, output, error, context, value, children, historyValue, tags: [...tags] }
  }
}

const { matches, hasTag, can, getMeta, toJSON } = TableSnapshot.prototype

/** Copies a snapshot into an object like XState's own, with everything in own properties. */
export function toPlain(snapshot: TableSnapshot | AnyMachineSnapshot): AnyMachineSnapshot {
  if (!(snapshot instanceof TableSnapshot)) return snapshot
  const { status, output, error, machine, context, _nodes, value, tags, children, historyValue } = snapshot
  const data = { status, output, error, machine, context, _nodes, value, tags, children, historyValue }
  return { ...data, matches, hasTag, can, getMeta, toJSON } as unknown as AnyMachineSnapshot
}
