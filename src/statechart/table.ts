import type {
  AnyEventObject,
  AnyMachineSnapshot,
  AnyStateMachine,
  AnyStateNode,
  AnyTransitionDefinition,
  StateValue,
} from 'xstate'
import { type ActionSource, Recorder, type Recording } from './recorder.ts'
import {
  allEnabled,
  firstEnabled,
  isSpecial,
  matchesDescriptor,
  type Reactions,
  reactionsTo,
} from './selection.ts'
import { ASSIGN, actionStep, FINISH, RAISE, REPLACE, Step } from './steps.ts'
import { eachNode } from './tree.ts'

/** What a step of the machine does: the steps in XState's order, and where it ends. */
export interface Plan {
  /** As XState reports them to inspectors: every enabled transition, also those that lose a conflict. */
  readonly transitions: readonly AnyTransitionDefinition[]
  readonly steps: readonly Step[]
  /** The states afterwards; `undefined` when none is entered or left for good. */
  readonly target: Configuration | undefined
  /** Whether the machine is done afterwards. */
  readonly finishes: boolean
  /** Whether done events of states are left to process. */
  readonly raises: boolean
  /** Whether the snapshot afterwards is another: a state was entered or left, or something was assigned. */
  readonly changes: boolean
  /** The machine's output as it is written: a value or a function. */
  readonly output: unknown
}

/**
 * A set of active states, in XState's order, with everything that follows from it alone.
 *
 * The order counts: XState lists tags, metadata and the keys of `value` in the order in which states were entered,
 * and asks regions in that order. So the same states can be two configurations.
 */
export class Configuration {
  readonly table: Table
  readonly nodes: readonly AnyStateNode[]
  readonly value: StateValue
  readonly tags: Set<string>
  /** Whether the machine is done here. */
  isFinal = false
  readonly #named = new Map<string, Reactions<Plan>>()
  readonly #byWildcards = new Map<string, Reactions<Plan>>()
  readonly #plans = new Map<string, Plan>()
  #likeness: AnyMachineSnapshot | undefined

  constructor(table: Table, nodes: readonly AnyStateNode[], value: StateValue, tags: Set<string>) {
    this.table = table
    this.nodes = nodes
    this.value = deepFreeze(value)
    this.tags = tags
  }

  /** Who may answer events of a type here. */
  reactionsTo(type: string): Reactions<Plan> {
    return this.#named.get(type) ?? this.#learn(type)
  }

  /**
   * Finds what the machine does with an event here.
   *
   * @returns `undefined` when no transition is enabled.
   * @throws What XState throws when a guard does.
   */
  select(context: unknown, event: AnyEventObject): Plan | undefined {
    return this.choose(this.reactionsTo(event.type), context, event)
  }

  /** Does the second half of `select`, of which the first is `reactionsTo`. */
  choose(reactions: Reactions<Plan>, context: unknown, event: AnyEventObject): Plan | undefined {
    if (reactions.regions === undefined) {
      const candidate = firstEnabled(reactions.candidates, context, event)
      if (candidate === undefined) return undefined
      candidate.plan ??= this.#planFor([candidate.transition])
      return candidate.plan
    }
    const enabled = allEnabled(reactions, context, event)
    return enabled.length === 0 ? undefined : this.#planFor(enabled)
  }

  /** Only types that the machine names are kept under their name; of the others, what their wildcards decide. */
  #learn(type: string): Reactions<Plan> {
    if (this.table.isNamed(type)) {
      const reactions = reactionsTo<Plan>(type, this)
      this.#named.set(type, reactions)
      return reactions
    }
    const key = `${this.table.wildcardsMatching(type)}${isSpecial(type) ? ' special' : ''}`
    let reactions = this.#byWildcards.get(key)
    if (reactions === undefined) {
      reactions = reactionsTo<Plan>(type, this)
      this.#byWildcards.set(key, reactions)
    }
    return reactions
  }

  #planFor(transitions: readonly AnyTransitionDefinition[]): Plan {
    const key = transitions.map((transition) => this.table.numberOf(transition)).join()
    let plan = this.#plans.get(key)
    if (plan === undefined) {
      this.#likeness ??= this.table.recorder.snapshotLike({
        _nodes: this.nodes,
        value: this.value,
      } as AnyMachineSnapshot)
      const recording = this.table.recorder.recordTransitions(this.#likeness, transitions)
      plan = this.table.plan(transitions, recording, this.#likeness)
      this.#plans.set(key, plan)
    }
    return plan
  }
}

/**
 * The transition table of one machine: its configurations, and for each the plan of every set of transitions.
 *
 * Filled as the machine meets them. Its size is bounded by the machine: event types the machine does not name add nothing.
 */
export class Table {
  readonly machine: AnyStateMachine
  readonly recorder: Recorder
  readonly #replacesContext: boolean
  readonly #nodes = new Map<string, AnyStateNode>()
  readonly #numbers = new Map<AnyTransitionDefinition, number>()
  readonly #named = new Set<string>()
  readonly #wildcards: string[] = []
  readonly #configurations = new Map<string, Configuration>()
  readonly #byValue = new Map<string, Configuration>()
  #initial: Plan | undefined
  #unborn: Configuration | undefined

  /** @param replacesContext - Whether functions given to `assign` answer the whole context. */
  constructor(machine: AnyStateMachine, replacesContext: boolean) {
    this.machine = machine
    this.#replacesContext = replacesContext
    this.recorder = new Recorder(machine)
    for (const node of eachNode(machine.root)) {
      this.#nodes.set(node.id, node)
      for (const [descriptor, transitions] of node.transitions) {
        if (!this.#named.has(descriptor) && descriptor.endsWith('.*')) this.#wildcards.push(descriptor)
        this.#named.add(descriptor)
        for (const transition of transitions) this.#numbers.set(transition, this.#numbers.size)
      }
    }
  }

  /** The plan by which the machine enters its initial states. */
  get initial(): Plan {
    this.#initial ??= this.plan([], this.recorder.recordInitial(), undefined)
    return this.#initial
  }

  /** The configuration of a machine that failed before it entered its first state: only the root counts as active. */
  get unborn(): Configuration {
    const { root } = this.machine
    const value = (this.initial.target as Configuration).value
    this.#unborn ??= new Configuration(this, [root], value, new Set(root.tags))
    return this.#unborn
  }

  isNamed(type: string): boolean {
    return this.#named.has(type)
  }

  /** The partial wildcards that match an event type, as a key. */
  wildcardsMatching(type: string): string {
    return this.#wildcards.filter((descriptor) => matchesDescriptor(type, descriptor)).join(' ')
  }

  numberOf(transition: AnyTransitionDefinition): number {
    return this.#numbers.get(transition) as number
  }

  /**
   * Finds the configuration of a snapshot, also of one that another copy of the machine made.
   *
   * @throws When the snapshot's states are none of this machine's.
   */
  intern(snapshot: Pick<AnyMachineSnapshot, '_nodes' | 'value' | 'tags'>): Configuration {
    const nodes = snapshot._nodes.map((node) => this.#nodeLike(node))
    const key = nodes.map((node) => node.order).join()
    let configuration = this.#configurations.get(key)
    if (configuration === undefined) {
      configuration = new Configuration(this, Object.freeze(nodes), snapshot.value, snapshot.tags)
      this.#configurations.set(key, configuration)
    }
    return configuration
  }

  /** The configuration to restore from a persisted value, once `learnValue` was told. */
  configurationAt(value: StateValue): Configuration | undefined {
    return this.#byValue.get(valueKey(value))
  }

  /** Keeps the configuration which XState restores from a value. */
  learnValue(value: StateValue, restored: AnyMachineSnapshot): Configuration {
    const configuration = this.intern(restored)
    this.#byValue.set(valueKey(value), configuration)
    return configuration
  }

  /** Turns a recording into a plan; `before` is the recorder's snapshot before the step. */
  plan(
    transitions: readonly AnyTransitionDefinition[],
    { marks, raised, snapshot }: Recording,
    before: AnyMachineSnapshot | undefined,
  ): Plan {
    const finishes = snapshot.status === 'done'
    const steps: Step[] = []
    const waiting = [...raised]
    const raiseUntil = (token: unknown, output: unknown) => {
      while (waiting.length > 0) {
        const event = waiting.shift() as AnyEventObject
        const isAwaited = event.output === token
        steps.push(new Step(RAISE, event.type, isAwaited ? output : undefined))
        if (isAwaited) return
      }
    }
    marks.forEach((mark, index) => {
      if (mark.kind === 'actions') {
        for (const action of this.#actionsFrom(mark.from)) {
          steps.push(actionStep(action, this.machine, this.#replacesContext))
        }
      } else if (mark.kind === 'output') {
        const next = marks[index + 1]
        const { output } = this.#nodes.get(mark.nodeId) as AnyStateNode
        if (next?.kind === 'finish' && next.event.output === mark.token) {
          steps.push(new Step(FINISH, next.event.type, output))
        } else if (finishes) {
          steps.push(new Step(RAISE, '', output))
        } else {
          raiseUntil(mark.token, output)
        }
      } else if (mark.event.output === undefined) {
        steps.push(new Step(FINISH, mark.event.type, undefined))
      }
    })
    for (const event of waiting) steps.push(new Step(RAISE, event.type, undefined))
    const target = snapshot === before ? undefined : this.intern(snapshot)
    if (target !== undefined) target.isFinal = finishes
    return {
      transitions: Object.freeze(transitions),
      steps,
      target,
      finishes,
      raises: raised.length > 0,
      changes:
        target !== undefined || finishes || steps.some(({ kind }) => kind === ASSIGN || kind === REPLACE),
      output: this.machine.root.output,
    }
  }

  #actionsFrom(source: ActionSource): readonly unknown[] {
    if (source.list === 'transition') return source.transition.actions
    const node = this.#nodes.get(source.nodeId) as AnyStateNode
    return source.list === 'initial' ? node.initial.actions : node[source.list]
  }

  #nodeLike(node: AnyStateNode): AnyStateNode {
    const own = this.#nodes.get(node.id)
    if (own === undefined) {
      throw new Error(
        `Expected a snapshot of machine '${this.machine.id}', got one with the state '${node.id}'. ` +
          'Restore it with the machine that made it.',
      )
    }
    return own
  }
}

const valueKey = (value: StateValue): string => (typeof value === 'string' ? value : JSON.stringify(value))

function deepFreeze(value: StateValue): StateValue {
  if (typeof value === 'object') {
    for (const inner of Object.values(value)) deepFreeze(inner as StateValue)
    Object.freeze(value)
  }
  return value
}
