import type { AnyStateMachine, AnyTransitionDefinition } from 'xstate'
import { jobMachine, orchestratorMachine, poolMachine } from '../../machines/index.ts'
import {
  type Inspection,
  type TransitionInfo,
  toMermaid,
  transitionId,
  transitionsOf,
} from '../statechart/index.ts'

/** How much of a machine was seen. */
export interface MachineCoverage {
  readonly machine: string
  readonly transitions: number
  readonly taken: number
  /** Those never taken, in the order of the chart. */
  readonly missed: readonly TransitionInfo[]
  /** States that no transition has led to, the initial ones apart. */
  readonly missedStates: readonly string[]
}

/** The project's own charts. */
const CHARTS: readonly AnyStateMachine[] = [jobMachine, poolMachine, orchestratorMachine]

/**
 * Notes which transitions of machines are taken, and tells which never were.
 *
 * Works for any XState machine: give {@link inspect} to its actor, or to a pool as `inspect`.
 */
export class Coverage {
  readonly #taken = new Set<string>()
  readonly #ids = new WeakMap<AnyTransitionDefinition, string>()
  readonly #watched = new WeakSet<object>()

  /** Takes XState's inspection events; give it to `createActor`, to a pool, or to a system's `inspect`. */
  readonly inspect: (event: Parameters<Extract<Inspection, (...args: never[]) => unknown>>[0]) => void = (
    event,
  ) => {
    if (event.type !== '@xstate.microstep') return
    for (const definition of event._transitions) this.#taken.add(this.#idOf(definition))
  }

  /** Watches the actors of a pool from now on. */
  attach({ pool }: { readonly pool: { readonly actor: { readonly system: object } } }): void {
    const { system } = pool.actor
    if (this.#watched.has(system)) return
    this.#watched.add(system)
    ;(system as { inspect(observer: { next(event: unknown): void }): unknown }).inspect({
      next: this.inspect as (event: unknown) => void,
    })
  }

  /** Whether a transition was taken, by its id in `transitionsOf(machine)`. */
  has(id: string): boolean {
    return this.#taken.has(id)
  }

  /** Adds what another has seen. */
  add(other: Coverage): void {
    for (const id of other.#taken) this.#taken.add(id)
  }

  /** By machine. Default: the charts of job, pool and orchestrator. */
  report(machines: readonly AnyStateMachine[] = CHARTS): readonly MachineCoverage[] {
    return machines.map((machine) => {
      const all = transitionsOf(machine)
      const missed = all.filter(({ id }) => !this.#taken.has(id))
      const reached = new Set(all.filter(({ id }) => this.#taken.has(id)).flatMap(({ targets }) => targets))
      const aimedAt = new Set(all.flatMap(({ targets }) => targets))
      return {
        machine: machine.id,
        transitions: all.length,
        taken: all.length - missed.length,
        missed,
        missedStates: [...aimedAt].filter((state) => !reached.has(state)),
      }
    })
  }

  /** Draws a machine as a Mermaid diagram, on which the label of what was never taken starts with `✗`. */
  toMermaid(machine: AnyStateMachine): string {
    return toMermaid(machine, { taken: this })
  }

  #idOf(definition: AnyTransitionDefinition): string {
    let id = this.#ids.get(definition)
    if (id === undefined) {
      id = transitionId(definition)
      this.#ids.set(definition, id)
    }
    return id
  }
}
