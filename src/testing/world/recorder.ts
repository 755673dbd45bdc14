import type { DecisionRecord } from '../../domain/decision.ts'
import type { JobId, ModuleHandler } from '../../domain/job.ts'
import type { NodeId } from '../../domain/node-spec.ts'
import type { TreeNode } from '../../domain/tree.ts'
import type { PoolStreamEvent } from '../../runtime/events/events.ts'
import type { RunStreamEvent } from '../../runtime/events/run-events.ts'
import type { JobActor } from '../../runtime/job/job-actor.ts'
import { atOutcome, leastBackoffMs } from '../invariants/invariants.ts'
import { atChange } from '../invariants/run-invariants.ts'
import type { Disk } from '../model/disk.ts'
import { entryOf } from '../model/journal.ts'
import type { Row } from '../model/rows.ts'
import type { JobSet } from '../model/subject.ts'
import type { InnerWorld } from './inner-world.ts'
import type { StandIn } from './stand-in.ts'

/** Writes down what pool and run tell, in the world's rows and its journal. */
export class Recorder {
  readonly #world: InnerWorld
  readonly #standIn: StandIn
  /** Of a set of jobs. */
  readonly #specs: ReadonlyMap<JobId, JobSet['jobs'][number]>

  constructor(world: InnerWorld, standIn: StandIn) {
    this.#world = world
    this.#standIn = standIn
    const { subject } = world
    this.#specs = new Map('jobs' in subject ? subject.jobs.map((spec) => [spec.id, spec]) : [])
  }

  /** Hears of a process's jobs as long as it lives. */
  listen(isAlive: () => boolean): void {
    const { pool } = this.#world
    pool.on('job.submitted', ({ jobId }) => {
      if (isAlive()) this.submitted(jobId)
    })
    pool.on('job.retrying', ({ jobId, retryAt }) => {
      const row = this.#world.rows.all.get(jobId)
      if (row === undefined || !isAlive()) return
      const wasLost = row.losses > row.replacements
      if (wasLost) row.replacements++
      const failures = row.starts - row.replacements
      row.notBefore = wasLost ? 0 : Math.max(retryAt, row.endedAt + leastBackoffMs(row, failures))
    })
    for (const type of ['job.completed', 'job.failed', 'job.cancelled'] as const) {
      pool.on(type, ({ jobId, result }) => {
        const row = this.#world.rows.all.get(jobId)
        if (row === undefined || !isAlive()) return
        atOutcome(this.#world, row, result)
        this.#world.rows.settle(row, result)
        if (this.#world.hasExpand && row.node !== undefined && type !== 'job.cancelled')
          this.#world.rows.undecided.add(row.node)
      })
    }
    pool.on('*', (event) => {
      if (isAlive()) this.#write(event)
    })
  }

  submitted(jobId: JobId, wasLost = false): void {
    const actor = this.#world.pool.job(jobId) as unknown as JobActor | undefined
    if (actor === undefined) {
      this.#world.breaks('durability', `Job ${jobId} is stored, but was not taken up again.`)
      return
    }
    const spec = this.#specs.get(jobId)
    const row: Row = {
      id: jobId,
      node: actor.nodeId,
      handler: (actor.execute as ModuleHandler).export as string,
      actor,
      dependencies: (spec?.dependencies ?? []).map((each) => (typeof each === 'string' ? each : each.id)),
      runsOnFailure: spec?.onDependencyFailure === 'run',
      starts: 0,
      lastAttempt: 0,
      endedAt: 0,
      losses: wasLost ? 1 : 0,
      replacements: 0,
      isWaiting: false,
      notBefore: spec?.delayMs === undefined ? 0 : this.#world.now + spec.delayMs,
      isUnwanted: false,
      outcome: undefined,
    }
    this.#world.rows.add(row)
    const { output } = actor.getSnapshot()
    if (output !== undefined) this.#world.rows.settle(row, output)
  }

  heardOfRun(event: RunStreamEvent): void {
    if (event.type === 'node.added') this.#added(event.node)
    if (event.type === 'node.decided') this.#decided(event.node.id, event.decision)
    if (event.type === 'run.ended') this.#world.outcome = event.outcome
    else if ('node' in event) {
      this.#world.rows.tell(event.node)
      atChange(this.#world, event.node)
    }
    this.#write(event)
  }

  #decided(node: NodeId, { type, nodeIds }: DecisionRecord): void {
    this.#world.rows.undecided.delete(node)
    if (type !== 'prune') return
    for (const id of nodeIds) {
      const row = this.#world.rows.byNode.get(id)
      if (row !== undefined && row.outcome === undefined) row.isUnwanted = true
    }
  }

  #added(node: TreeNode): void {
    const { growths } = this.#world.rows
    const spec = this.#standIn.takeSpec(node)
    // It may be told of twice: of what was stored, the process that took it up was told before.
    if (spec === undefined && growths.has(node.id)) return
    growths.set(node.id, { parent: node.parentId, dependencies: spec?.dependencies ?? [] })
  }

  #write(event: PoolStreamEvent | RunStreamEvent): void {
    this.#world.journal?.push(entryOf(event, this.#world.clock.elapsedMs))
  }

  /** Learns of a node what is stored of it, and was perhaps never told to the process that died. */
  learn(node: TreeNode): void {
    if (!this.#world.rows.told.has(node.id)) this.#added(node)
    this.#world.rows.tell(node)
    const isOver = node.status === 'completed' || node.status === 'failed'
    if (isOver && node.decision === undefined && this.#world.hasExpand)
      this.#world.rows.undecided.add(node.id)
    else this.#world.rows.undecided.delete(node.id)
  }

  /** Finds a job that was known before the process died: what was told of it must still be so. */
  findAgain(row: Row, disk: Disk): void {
    const stored = disk.job(row.id)
    if (row.outcome !== undefined) {
      if (stored?.state !== row.outcome.status)
        this.#world.breaks(
          'durability',
          `Job ${row.id} was told to be ${row.outcome.status}, but is ${stored?.state} after a crash.`,
        )
      return
    }
    const actor = this.#world.pool.job(row.id) as unknown as JobActor | undefined
    if (actor === undefined) {
      // One that is stored all the same is missed when what was never told is looked for.
      this.#world.rows.remove(row)
      return
    }
    row.actor = actor
    const { output } = actor.getSnapshot()
    if (output !== undefined) this.#world.rows.settle(row, output)
    else if (row.isUnwanted && !disk.isUnwanted(row.id)) row.isUnwanted = false
  }
}
