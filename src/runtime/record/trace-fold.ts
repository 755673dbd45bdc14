import type { AnyMachineSnapshot, AnyStateMachine, SnapshotFrom } from 'xstate'
import type { JobInput, jobMachine, orchestratorMachine, poolMachine } from '../../../machines/index.ts'
import type { JobId, JobPolicy } from '../../domain/job.ts'
import {
  type ErrorJson,
  errorFromJson,
  type JobSubmitted,
  type PoolCreated,
  type RunCreated,
  type TraceActor,
  type TraceEntry,
} from '../../domain/trace.ts'
import type { JobRecord } from '../../ports/run-store.ts'
import { jobLogic, orchestratorLogic, poolLogic } from '../charts/charts.ts'
import { originOf } from '../job/job-origin.ts'
import { snapshotOf } from './job-record.ts'

/**
 * The state of every chart, made again from a trace: each entry is one step of the chart it belongs to.
 *
 * Nothing is carried out: a fold steps the compiled charts, and no effect leaves it.
 */
export class TraceFold {
  readonly pools = new Map<string, SnapshotFrom<typeof poolMachine>>()
  readonly runs = new Map<string, SnapshotFrom<typeof orchestratorMachine>>()
  readonly jobs = new Map<JobId, SnapshotFrom<typeof jobMachine>>()
  #policy: JobPolicy | undefined
  #seq = 0

  /** @param policy - Of the pool that was there before the first entry. */
  constructor(policy?: JobPolicy) {
    this.#policy = policy
  }

  /** Begins with a job as a store has it: an open one, whose later events are to come. */
  takeUp(record: JobRecord): void {
    const { policy = this.#policy } = record.submitted
    if (policy === undefined)
      throw new Error(`Job "${record.id}" names no policy, and there was no pool before.`)
    const snapshot = snapshotOf(record, policy, undefined) as never
    this.jobs.set(record.id, jobLogic.restoreSnapshot(snapshot, inertScope as never))
  }

  /** The number of the last entry; 0 before the first. */
  get seq(): number {
    return this.#seq
  }

  /**
   * Takes the next entry. The trace of one run has gaps where others' entries are.
   *
   * @throws {Error} When the entry is not after the last, or its actor was never born.
   */
  apply(entry: TraceEntry): this {
    const { seq, event } = entry
    if (seq <= this.#seq) throw new Error(`The trace is out of order: entry ${seq} came after ${this.#seq}.`)
    this.#seq = seq
    switch (event.type) {
      case 'pool.created':
        this.#createPool(entry, event as PoolCreated)
        return this
      case 'run.created':
        this.#createRun(entry, event as RunCreated)
        return this
      case 'job.submitted':
        this.jobs.set(entry.id, initial(jobLogic, this.jobInputOf(entry, event as JobSubmitted)))
        return this
      case 'run.resumed':
      case 'node.grown':
      case 'node.decided':
      case 'node.revised':
      case 'node.pruned':
        return this
      default:
        this.#step(entry)
        return this
    }
  }

  /** What a job's chart was born with. */
  jobInputOf({ id, at }: TraceEntry, submitted: JobSubmitted): JobInput {
    const policy = submitted.policy ?? this.#policy
    if (policy === undefined)
      throw new Error(`Job "${id}" names no policy, and no pool was created before it.`)
    return { jobId: id, origin: originOf(submitted), policy, queuedAt: at, readyAt: submitted.readyAt }
  }

  /** A pool that takes jobs up gives those that name no policy its own. */
  #createPool({ id }: TraceEntry, { maxParallelJobs, policy }: PoolCreated): void {
    for (const [jobId, { status, value, context, output, error }] of this.jobs) {
      if (status !== 'active' || context.policy !== this.#policy) continue
      const taken = {
        status,
        value,
        output,
        error,
        context: { ...context, policy },
        historyValue: {},
        children: {},
      }
      this.jobs.set(jobId, jobLogic.restoreSnapshot(taken as never, inertScope as never))
    }
    this.#policy = policy
    this.pools.set(id, initial(poolLogic, { maxParallelJobs }))
  }

  #createRun({ id }: TraceEntry, { limits }: RunCreated): void {
    this.runs.set(id, initial(orchestratorLogic, { maxRunMs: limits.maxRunMs ?? 0 }))
  }

  #step({ actor, id, at, event }: TraceEntry): void {
    const { logic, snapshots } = this.#chartOf(actor)
    const before = snapshots.get(id)
    if (before === undefined) throw new Error(`The ${actor} "${id}" steps before it was created.`)
    const { error } = event as { readonly error?: ErrorJson }
    const chartEvent = { ...event, at, ...(error === undefined ? {} : { error: errorFromJson(error) }) }
    snapshots.set(id, logic.transition(before, chartEvent, inertScope as never))
  }

  #chartOf(actor: TraceActor): { logic: AnyStateMachine; snapshots: Map<string, AnyMachineSnapshot> } {
    if (actor === 'job') return { logic: jobLogic, snapshots: this.jobs as never }
    if (actor === 'run') return { logic: orchestratorLogic, snapshots: this.runs as never }
    return { logic: poolLogic, snapshots: this.pools as never }
  }
}

/** Folds a whole trace. */
export function foldTrace(entries: Iterable<TraceEntry>): TraceFold {
  const fold = new TraceFold()
  for (const entry of entries) fold.apply(entry)
  return fold
}

function initial<Machine extends AnyStateMachine>(logic: Machine, input: unknown): SnapshotFrom<Machine> {
  return logic.getInitialSnapshot(inertScope as never, input as never) as SnapshotFrom<Machine>
}

/** A scope in which nothing happens: effects are named to nobody, and nobody inspects. */
const inertScope = {
  self: {},
  id: 'fold',
  sessionId: 'fold',
  logger: () => {},
  system: { _sendInspectionEvent: () => {} },
  defer: () => {},
  emit: () => {},
  stopChild: () => {},
  actionExecutor: () => {},
}
