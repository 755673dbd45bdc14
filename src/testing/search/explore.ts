import { checkInteger } from '../../domain/check.ts'
import { EspalierError } from '../../domain/errors.ts'
import { checkFaults, type Fault, type FaultType, needsStore } from '../model/faults.ts'
import type { Step } from '../model/step.ts'
import type { Subject, WorldOptions } from '../model/subject.ts'
import type { Violation } from '../model/world-view.ts'
import { World } from '../world/world.ts'
import { type Choice, choicesOf, EXPLORED_FAULTS } from './choices.ts'
import { type Counterexample, counterexampleOf } from './counterexample.ts'
import { Coverage } from './coverage.ts'
import { type ExploredState, findStuck, stepsTo } from './explored-state.ts'
import { stateKey } from './state-key.ts'

/** Where an exploration stops. */
export interface ExploreLimits {
  /** Default 100,000. */
  readonly maxStates?: number
  /** How many things may happen one after the other. Default 1,000. */
  readonly maxDepth?: number
  /** How many faults may strike in one run. Default: any number. */
  readonly maxFaults?: number
}

export interface ExploreOptions extends WorldOptions {
  /** What may go wrong, at every point where it can. Their `chance` and `at` play no part. Default: nothing. */
  readonly faults?: readonly (FaultType | Fault)[]
  readonly limits?: ExploreLimits
  /** Notes the transitions taken. */
  readonly coverage?: Coverage
  /** Told now and then. */
  readonly onProgress?: (progress: ExploreProgress) => void
}

export interface ExploreProgress {
  readonly states: number
  readonly transitions: number
  /** How deep the search has come. */
  readonly depth: number
  /** States whose successors are yet to be found. */
  readonly open: number
}

export interface ExploreReport extends Omit<ExploreProgress, 'open'> {
  /** The first promise that was broken: no shorter run breaks any. */
  readonly violation: Violation | undefined
  readonly counterexample: Counterexample | undefined
  /** States in which everything has ended. */
  readonly ends: number
  /** The limit that ended the search; absent when everything within reach was seen. */
  readonly cutBy: keyof ExploreLimits | undefined
  readonly coverage: Coverage
}

/** Progress is told after each so many states. */
const PROGRESS_STATES = 200
/** How many worlds are kept until their states' turn comes. */
const WORLDS_MAX = 500
/** How much later each thing happens than the one before, in ms: deadlines that were set one after the other stay so. */
const TICK_MS = 2 ** -10

/**
 * Tries every order of what can happen: which attempt ends next, and how; which answer of `expand` arrives; whether time
 * passes; and every fault, at every point.
 *
 * Breadth first, so that the first run that breaks a promise is a shortest one. The runtime cannot be copied: each state
 * is reached again from the start, by the steps that led to it, and is looked at once, however many ways lead there.
 *
 * @throws {EspalierError} For what is wrong before it starts: options, the workflow, its input.
 */
export async function explore(subject: Subject, options: ExploreOptions = {}): Promise<ExploreReport> {
  return new Exploration(subject, options).run()
}

class Exploration {
  readonly #subject: Subject
  readonly #options: ExploreOptions
  readonly #settings: WorldOptions
  readonly #faults: readonly Fault[]
  readonly #limits: Required<Omit<ExploreLimits, 'maxFaults'>> & { readonly maxFaults: number | undefined }
  readonly #coverage: Coverage
  readonly #repeats: boolean
  readonly #states = new Map<string, ExploredState>()
  readonly #queue: ExploredState[] = []
  #transitions = 0
  #worlds = 0
  #depth = 0
  #ends = 0
  #cutBy: keyof ExploreLimits | undefined

  constructor(subject: Subject, options: ExploreOptions) {
    const { faults = [], limits = {}, coverage = new Coverage() } = options
    this.#subject = subject
    this.#options = options
    this.#faults = checkFaults(faults)
    this.#settings = { isDurable: needsStore(this.#faults), ...options }
    const unknown = this.#faults.find(({ type }) => !EXPLORED_FAULTS.includes(type))
    if (unknown !== undefined) {
      const expected = `faults out of ${EXPLORED_FAULTS.join(', ')}`
      throw new EspalierError('ESP_INVALID_OPTION', { option: 'faults', expected, got: unknown.type })
    }
    const { maxStates = 100_000, maxDepth = 1_000, maxFaults } = limits
    this.#limits = {
      maxStates: checkInteger('limits.maxStates', maxStates, 1),
      maxDepth: checkInteger('limits.maxDepth', maxDepth, 1),
      maxFaults: maxFaults === undefined ? undefined : checkInteger('limits.maxFaults', maxFaults),
    }
    this.#coverage = coverage
    this.#repeats = this.#faults.some(({ type }) => type === 'duplicate')
  }

  async run(): Promise<ExploreReport> {
    const { stackTraceLimit } = Error
    // Each replay makes the errors of its faults anew, and nobody reads where from.
    Error.stackTraceLimit = 0
    try {
      return await this.#search()
    } finally {
      Error.stackTraceLimit = stackTraceLimit
    }
  }

  async #search(): Promise<ExploreReport> {
    const start = new World(this.#subject, this.#settings)
    this.#coverage.attach(start)
    await start.start()
    start.check()
    if (start.violation === undefined) this.#discover(start, undefined, undefined, 0)
    if (start.violation !== undefined) return this.#report(start.violation, [])
    for (let index = 0; index < this.#queue.length; index++) {
      const state = this.#queue[index] as ExploredState
      const broken = await this.#expand(state)
      if (broken !== undefined) return this.#report(broken.violation, broken.steps)
      // What was worked off is let go.
      state.choices = []
      if (this.#cutBy === 'maxStates') break
      if (index % PROGRESS_STATES === 0) this.#options.onProgress?.(this.#progress(index))
    }
    const stuck = this.#cutBy === undefined ? findStuck(this.#queue) : undefined
    if (stuck === undefined) return this.#report(undefined, [])
    const message = 'Without another fault, no end can be reached any more.'
    const at = stuck.step?.at ?? 0
    return this.#report({ invariant: 'termination', message, at }, stepsTo(stuck))
  }

  async #expand(state: ExploredState): Promise<{ violation: Violation; steps: readonly Step[] } | undefined> {
    if (state.depth >= this.#limits.maxDepth) {
      this.#cutBy ??= 'maxDepth'
      return undefined
    }
    for (const choice of state.choices) {
      if (choice.isFault && state.faults === this.#limits.maxFaults) {
        this.#cutBy ??= 'maxFaults'
        continue
      }
      const world = this.#takeWorld(state) ?? (await this.#reach(state))
      this.#coverage.attach(world)
      const step = await this.#take(world, choice)
      this.#transitions++
      world.check()
      const next =
        world.violation === undefined ? this.#discover(world, state, step, choice.isFault ? 1 : 0) : undefined
      if (world.violation !== undefined)
        return { violation: world.violation, steps: [...stepsTo(state), step] }
      if (next !== undefined && !choice.isFault) next.sources.push(state)
      if (this.#states.size >= this.#limits.maxStates) {
        this.#cutBy = 'maxStates'
        return undefined
      }
    }
    return undefined
  }

  /** The world that a state was found in, for the first of its choices. */
  #takeWorld(state: ExploredState): World | undefined {
    const { world } = state
    if (world === undefined) return undefined
    state.world = undefined
    this.#worlds--
    return world
  }

  /** Makes the world of a state again. */
  async #reach(state: ExploredState): Promise<World> {
    const world = new World(this.#subject, this.#settings)
    await world.start()
    for (const step of stepsTo(state)) {
      const done = world.redo(step)
      if (typeof done !== 'boolean') await done
    }
    return world
  }

  async #take(world: World, { deed, until }: Choice): Promise<Step> {
    if (until === undefined) {
      world.clock.goTo(world.now + TICK_MS)
      const at = world.clock.elapsedMs
      world.do(deed)
      await world.settle()
      return { at, ...deed }
    }
    let wakes = 0
    // The runtime may have wished to be woken for what has ended since: that wakes nobody.
    for (let next = world.clock.next; next !== undefined && next.at <= until; next = world.clock.next) {
      wakes++
      if (world.isSpinning) break
      world.clock.runNext()
      await world.settle()
    }
    world.clock.goTo(until)
    return { at: world.clock.elapsedMs, do: 'wait', wakes }
  }

  /** The state a world is in: a known one, or one that is new. */
  #discover(
    world: World,
    parent: ExploredState | undefined,
    step: Step | undefined,
    fault: number,
  ): ExploredState | undefined {
    const faults = (parent?.faults ?? 0) + fault
    const key = stateKey(world, this.#limits.maxFaults === undefined ? undefined : faults)
    const known = this.#states.get(key)
    if (known !== undefined) return known
    if (this.#repeats) world.repeatAll()
    const choices = choicesOf(world, this.#faults)
    const isEnd = choices.every(({ isFault }) => isFault)
    if (isEnd) world.checkEnd()
    if (world.violation !== undefined) return undefined
    const depth = parent === undefined ? 0 : parent.depth + 1
    if (isEnd) this.#ends++
    if (depth > this.#depth) this.#depth = depth
    const state: ExploredState = {
      parent,
      step,
      depth,
      faults,
      choices,
      canEnd: isEnd,
      sources: [],
      world: undefined,
    }
    if (!isEnd && this.#worlds < WORLDS_MAX) {
      state.world = world
      this.#worlds++
    }
    this.#states.set(key, state)
    this.#queue.push(state)
    return state
  }

  #progress(done: number): ExploreProgress {
    return {
      states: this.#states.size,
      transitions: this.#transitions,
      depth: this.#depth,
      open: this.#queue.length - done - 1,
    }
  }

  #report(violation: Violation | undefined, steps: readonly Step[]): ExploreReport {
    const counterexample =
      violation === undefined ? undefined : counterexampleOf(this.#subject, this.#settings, steps, violation)
    return {
      states: this.#states.size,
      transitions: this.#transitions,
      depth: this.#depth,
      violation,
      counterexample,
      ends: this.#ends,
      cutBy: this.#cutBy,
      coverage: this.#coverage,
    }
  }
}
