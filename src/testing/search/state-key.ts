import type { NodeId } from '../../domain/node-spec.ts'
import type { TreeNode } from '../../domain/tree.ts'
import { type Deadline, deadlinesOf } from '../invariants/deadlines.ts'
import { keyOfAttempt } from '../model/body.ts'
import { plain } from '../model/journal.ts'
import { type Row, stateOfRow } from '../model/rows.ts'
import type { World } from '../world/world.ts'
import { REFUSALS_SEEN } from './choices.ts'

/**
 * All of a world that what happens next depends on, as a text: two worlds with the same text go on alike.
 *
 * Instants are told by what they are away from now, in whole ms, and by their order; the place of a job in the queue by
 * its rank among those that have not ended. What has ended is told by its outcome only, and by its value where an
 * `expand` can see it. Siblings that nobody can tell apart, having no key and nobody who depends on them, stand in an
 * order of their own instead of that of their growth.
 *
 * @param faults - How many have struck on the way; absent where their number is not limited.
 */
export function stateKey(world: World, faults: number | undefined): string {
  return new Writer(world).write(faults)
}

class Writer {
  readonly #world: World
  readonly #deadlines = new Map<string, string>()
  readonly #ranks = new Map<Row, number>()
  readonly #namedNodes = new Set<string>()

  constructor(world: World) {
    this.#world = world
    deadlinesOf(world).forEach(({ owner, at }: Deadline, rank) => {
      this.#deadlines.set(owner, `@${Math.round(at - world.now)}/${rank}`)
    })
    // Live jobs are kept in the order of submission.
    let rank = 0
    for (const row of world.rows.live) this.#ranks.set(row, rank++)
    for (const { dependencies } of world.rows.growths.values())
      for (const name of dependencies) this.#namedNodes.add(name)
  }

  write(faults: number | undefined): string {
    const world = this.#world
    const { value, context } = world.pool.actor.getSnapshot()
    const refusal = `${Math.min(world.disk?.refusals ?? -1, REFUSALS_SEEN)}${world.isRefused ? world.untold.join() : ''}${world.isGivenUp ? 'G' : ''}${this.#at('store')}`
    const pool = `${value.lifecycle}${value.dispatch}${context.maxParallelJobs}${world.host.isPressed ? 'P' : ''}${refusal}`
    const body = world.orchestrator === undefined ? this.#jobs() : this.#tree()
    const zombies = [...world.bodies.values()].filter(
      ({ job }) => world.rows.all.get(job)?.outcome !== undefined,
    )
    const kept = [...world.kept].sort().join()
    return `${pool}${this.#at('pool')}|${body}|${zombies.map(({ key }) => key).join()}|${kept}|${faults ?? ''}`
  }

  #jobs(): string {
    return Array.from(this.#world.rows.all.values(), (row) => this.#row(row)).join(';')
  }

  #tree(): string {
    const { orchestrator, questions, rows } = this.#world
    const { value, context } = orchestrator!.actor.getSnapshot()
    const state = `${JSON.stringify(value)}${context.reason ?? ''}${context.tree.isCut}${context.tree.decisions}`
    const open = Array.from(questions.values(), ({ node, answer }) => {
      return `${node}${this.#at(`expand ${node}`)}${JSON.stringify(plain(answer))}`
    })
    const roots = this.#siblings(orchestrator!.tree.rootIds)
    const waiting = [...rows.undecided].join()
    return `${state}${this.#at('run')}[${roots}]${open.join()}|${waiting}`
  }

  #siblings(ids: readonly NodeId[]): string {
    const alike: string[] = []
    const all = ids.map((id) => {
      const node = this.#world.node(id) as TreeNode
      const canBeTold =
        node.key !== undefined ||
        this.#namedNodes.has(id) ||
        this.#world.rows.growths.get(id)?.dependencies.length !== 0
      const text = this.#node(node, canBeTold)
      if (canBeTold) return text
      alike.push(text)
      return undefined
    })
    alike.sort()
    return all.map((text) => text ?? alike.shift()).join()
  }

  #node(node: TreeNode, isNamed: boolean): string {
    const { id, key, handler, input, status, revisions, score, decision, children } = node
    const row = this.#world.rows.byNode.get(id)
    const name = isNamed ? (key ?? id) : ''
    const spec = `${handler}${input === undefined ? '' : JSON.stringify(plain(input))}${score ?? ''}`
    const life = row === undefined ? status : this.#row(row)
    const below = children.length === 0 ? '' : `(${this.#siblings(children)})`
    return `${name}:${spec}:${life}${status === 'pruned' ? 'p' : ''}${revisions}${decision?.type ?? ''}${below}`
  }

  #row(row: Row): string {
    const { id, actor, outcome, node } = row
    if (outcome !== undefined) {
      if (node === undefined || !this.#world.hasExpand) return outcome.status
      const { value, error, attempts } = outcome
      return `${outcome.status}${attempts}${error?.message ?? ''}${value === undefined ? '' : JSON.stringify(plain(value))}`
    }
    const { attempt, lost, stopping } = actor.context
    const body = this.#world.bodies.get(keyOfAttempt(id, attempt))
    const stopped = stopping === undefined ? '' : `${stopping.by}${stopping.reason}`
    const life = `${stateOfRow(row)},${attempt},${lost},${stopped}${body === undefined ? '' : 'b'}${row.isUnwanted ? 'u' : ''}`
    return `${life}${this.#at(id)}#${this.#ranks.get(row)}`
  }

  #at(owner: string): string {
    return this.#deadlines.get(owner) ?? ''
  }
}
