import type { Decision, DecisionRecord } from '../../domain/decision.ts'
import { EspalierError } from '../../domain/errors.ts'
import type { TreeLimits } from '../../domain/limits.ts'
import type { NodePatch, NodeSpec } from '../../domain/node-spec.ts'
import type { JobActor } from '../job/job-actor.ts'
import { cutGrowth } from './decisions.ts'
import type { NodeRecord } from './node-record.ts'
import type { Planting } from './planting.ts'
import type { TreeStore } from './tree-store.ts'

/** What of a decision was carried out, and what not. */
export interface Carried extends Pick<DecisionRecord, 'nodeIds' | 'cut'> {
  /** The nodes it has run again, or pruned with all below them. */
  readonly changed: readonly NodeRecord[]
}

/** What a decision does outside the tree. */
export interface GrowthSite {
  readonly runId: string
  added(records: readonly NodeRecord[]): void
  changed(record: NodeRecord): void
  /** Cancels the job of a node that has been pruned. */
  cancelPruned(job: JobActor): void
  /** Wants no decision about these nodes any more. */
  dropQuestions(reason: Error, isDropped: (record: NodeRecord) => boolean): void
}

/** Carries decisions out, inside the limits. */
export class Growth {
  readonly #limits: TreeLimits
  readonly #store: TreeStore
  readonly #planting: Planting
  readonly #site: GrowthSite

  constructor(limits: TreeLimits, store: TreeStore, planting: Planting, site: GrowthSite) {
    this.#limits = limits
    this.#store = store
    this.#planting = planting
    this.#site = site
  }

  /** Grows the roots. */
  start(specs: readonly NodeSpec[]): Carried {
    return this.#grow(specs, undefined)
  }

  /** @throws {EspalierError} When nodes cannot be planted; nothing has changed then. */
  carryOut(record: NodeRecord, decision: Decision): Carried {
    switch (decision.type) {
      case 'grow':
        return this.#grow(decision.nodes, record)
      case 'revise':
        return this.#revise(record, decision.patch)
      case 'prune':
        return this.#prune(decision.ids)
      case 'stop':
      case 'satisfy':
        return NOTHING
    }
  }

  #grow(nodes: readonly NodeSpec[], parent: NodeRecord | undefined): Carried {
    const { specs, cut } = cutGrowth(nodes, parent, this.#store, this.#limits)
    if (specs.length === 0) return { ...NOTHING, cut }
    const planted = this.#planting.plant(specs, parent)
    const nodeIds = planted.map(({ id }) => id)
    parent?.grow(nodeIds)
    this.#site.added(planted)
    if (parent !== undefined) this.#site.changed(parent)
    return { ...NOTHING, nodeIds, cut }
  }

  #revise(record: NodeRecord, patch: NodePatch): Carried {
    if (record.revisions >= this.#limits.maxRevisions) {
      return { ...NOTHING, cut: [{ by: 'maxRevisions', count: 1 }] }
    }
    const changed = this.#planting.revise(record, patch)
    for (const each of changed) this.#site.changed(each)
    return { ...NOTHING, nodeIds: changed.map(({ id }) => id), changed }
  }

  #prune(ids: readonly string[]): Carried {
    const pruned: string[] = []
    let unknown = 0
    let ended = 0
    const dropped = new Set<NodeRecord>()
    for (const id of ids) {
      const root = this.#store.find(id)
      if (root === undefined) {
        unknown++
        continue
      }
      // Named twice, or below one that was named before.
      if (dropped.has(root)) continue
      const branch = [...this.#store.below(root)].filter((record) => !record.isPruned)
      const stopped = branch.filter(({ isLive }) => isLive)
      if (stopped.length === 0) ended++
      for (const record of branch) {
        record.isPruned = true
        dropped.add(record)
      }
      for (const { id: stoppedId, job } of stopped) {
        pruned.push(stoppedId)
        this.#site.cancelPruned(job as JobActor)
      }
    }
    const reason = new EspalierError('ESP_JOB_CANCELLED', { jobId: this.#site.runId, reason: 'pruned' })
    this.#site.dropQuestions(reason, (record) => dropped.has(record))
    const cut = [
      { by: 'unknownNode' as const, count: unknown },
      { by: 'ended' as const, count: ended },
    ].filter(({ count }) => count > 0)
    return { nodeIds: pruned, cut, changed: [...dropped] }
  }
}

export const NOTHING: Carried = Object.freeze({
  nodeIds: Object.freeze([]),
  cut: Object.freeze([]),
  changed: Object.freeze([]),
})
