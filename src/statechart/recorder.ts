import type { AnyTransitionDefinition } from 'xstate'
import {
  type AnyEventObject,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type AnyStateNode,
  StateMachine,
} from 'xstate'

/** One thing XState did in a step, in its order. */
export type Mark =
  | { readonly kind: 'actions'; readonly from: ActionSource }
  /** The output of a final state was asked for; `token` stands for the value. */
  | { readonly kind: 'output'; readonly nodeId: string; readonly token: object }
  /** The machine's output was asked for, with this event. */
  | { readonly kind: 'finish'; readonly event: AnyEventObject }

/** Where a list of actions is written in the machine. */
export type ActionSource =
  | { readonly list: 'entry' | 'exit' | 'initial'; readonly nodeId: string }
  | { readonly list: 'transition'; readonly transition: AnyTransitionDefinition }

export interface Recording {
  readonly marks: readonly Mark[]
  /** Done events of states, in the order in which they are to be processed; none when the machine finished. */
  readonly raised: readonly AnyEventObject[]
  /** The skeleton's snapshot after the step: the very one before it when no state was entered or left. */
  readonly snapshot: AnyMachineSnapshot
}

/** A list of one recording function, or nothing where the machine has nothing. */
const instead = (actions: readonly unknown[], mark: () => void): never[] =>
  actions.length > 0 ? [mark as never] : []

/**
 * Asks XState what a step of the machine does.
 *
 * It holds a skeleton: the same machine with every list of actions and every output replaced by a function which only
 * notes that it was called. XState takes the skeleton through one step, and its notes are exactly the order of
 * exits, transitions, entries and completions. So no rule of statecharts is written a second time here.
 */
export class Recorder {
  readonly #skeleton: AnyStateMachine
  readonly #nodes = new Map<string, AnyStateNode>()
  readonly #twins = new Map<AnyTransitionDefinition, AnyTransitionDefinition>()
  #marks: Mark[] = []
  #raised: AnyEventObject[] = []
  #enabled: readonly AnyTransitionDefinition[] | undefined

  constructor(machine: AnyStateMachine) {
    this.#skeleton = new StateMachine({ ...machine.config, context: {} }, machine.implementations)
    this.#hollow(this.#skeleton.root, machine.root)
    this.#skeleton.root.output = ({ event }: { event: AnyEventObject }) => {
      this.#marks.push({ kind: 'finish', event })
    }
    this.#skeleton.getTransitionData = (_snapshot, event) => {
      const enabled = this.#enabled
      this.#enabled = undefined
      if (enabled !== undefined) return enabled as never
      this.#raised.push(event)
      return []
    }
  }

  /** Records how the machine enters its initial states. */
  recordInitial(): Recording {
    return this.#record(undefined, () => this.#skeleton.getInitialSnapshot(this.#scope()))
  }

  /**
   * Records what the given transitions do together.
   *
   * @param snapshot - A snapshot of the skeleton.
   * @param transitions - As selected on the machine, before XState removes those in conflict.
   */
  recordTransitions(
    snapshot: AnyMachineSnapshot,
    transitions: readonly AnyTransitionDefinition[],
  ): Recording {
    const twins = transitions.map((transition) => this.#twins.get(transition) as AnyTransitionDefinition)
    return this.#record(twins, () =>
      this.#skeleton.transition(snapshot, { type: 'espalier.record' }, this.#scope()),
    )
  }

  /** Makes the skeleton's snapshot of an active machine in the states of the given one. */
  snapshotLike(snapshot: AnyMachineSnapshot): AnyMachineSnapshot {
    const base = this.#skeleton.resolveState({ value: snapshot.value, context: {} })
    const _nodes = snapshot._nodes.map((node) => this.#nodes.get(node.id))
    return { ...base, status: 'active', value: snapshot.value, _nodes } as AnyMachineSnapshot
  }

  #record(
    enabled: readonly AnyTransitionDefinition[] | undefined,
    step: () => AnyMachineSnapshot,
  ): Recording {
    this.#marks = []
    this.#raised = []
    this.#enabled = enabled
    const snapshot = step()
    return { marks: this.#marks, raised: this.#raised, snapshot }
  }

  #scope(): never {
    return {
      self: undefined,
      system: { _sendInspectionEvent() {} },
      actionExecutor: (action: { exec: () => void }) => action.exec(),
    } as never
  }

  #hollow(node: AnyStateNode, original: AnyStateNode): void {
    const nodeId = original.id
    this.#nodes.set(nodeId, node)
    const note = (list: 'entry' | 'exit' | 'initial') => () => {
      this.#marks.push({ kind: 'actions', from: { list, nodeId } })
    }
    node.entry = instead(node.entry, note('entry'))
    node.exit = instead(node.exit, note('exit'))
    const initial = node.initial as { actions: readonly unknown[] }
    initial.actions = instead(initial.actions, note('initial'))
    if (node.type === 'final') {
      node.output = () => {
        const token = {}
        this.#marks.push({ kind: 'output', nodeId, token })
        return token
      }
    }
    for (const [descriptor, originals] of original.transitions) {
      originals.forEach((transition, index) => {
        const twin = node.transitions.get(descriptor)?.[index] as {
          actions: readonly unknown[]
        } & typeof transition
        twin.actions = instead(transition.actions, () => {
          this.#marks.push({ kind: 'actions', from: { list: 'transition', transition } })
        })
        this.#twins.set(transition, twin)
      })
    }
    for (const key of Object.keys(node.states)) {
      this.#hollow(node.states[key] as AnyStateNode, original.states[key] as AnyStateNode)
    }
  }
}
