import { JOB_STATES, type JobResult } from '../domain/job.ts'
import { PRIORITIES } from '../domain/priority.ts'
import { backoffMs } from '../domain/retry.ts'
import type { RunReason, TreeNode } from '../domain/tree.ts'
import type { RunOutcome } from '../domain/workflow.ts'
import { BLOCKED, DELAYED, EXECUTING, READY, STOPPING } from '../runtime/job.ts'
import { type Body, keyOfAttempt } from './body.ts'
import { type Row, stateOfRow } from './rows.ts'
import type { Eventually, Invariant, WatchedWorld } from './world-view.ts'

/** A property that every run must come to have, at some quiet point before it ends. */
export const eventually = (name: string, holds: Eventually['holds']): Eventually => ({ name, holds })

/** The promises that are checked in every world, and what each says. */
export const BUILT_IN_INVARIANTS = {
  slots: 'No more attempts run than there are slots.',
  dependencies: 'No job starts before what it depends on has completed.',
  order: 'A free slot goes to the ready job of the highest priority, then score, then to the oldest.',
  pause: 'Nothing starts while the pool is paused, and one at a time while it is throttled.',
  attempts: 'Attempts are numbered without gaps, and are no more than the retries allow.',
  deadlines: 'Timeouts, delays and backoffs never end early.',
  'one-outcome': 'A job ends once, and its outcome never changes.',
  'cancelled-stays': 'No attempt starts after a cancel was acknowledged.',
  settling: 'When a tree grows no more, no job of it starts for the first time.',
  durability: 'What was told survives a crash.',
  'stale-results': 'A result that comes twice or too late changes nothing.',
  'tree-limits': 'The tree stays within its limits.',
  counters: 'The counts of the pool are those of its jobs.',
  progress: 'Nothing waits for what can never come.',
  journal: 'What was told adds up to what is.',
  termination: 'Once nothing is left to happen, everything has ended.',
} as const

/** What must be so when an attempt starts. */
export function atStart(world: WatchedWorld, row: Row, body: Body): void {
  const { context, value } = world.pool.actor.getSnapshot()
  const { key } = body
  const running = runningBodies(world)
  if (running > context.maxParallelJobs)
    world.breaks(
      'slots',
      `${key} started as number ${running}, but there are ${context.maxParallelJobs} slots.`,
    )
  if (value.dispatch === 'paused') world.breaks('pause', `${key} started while the pool is paused.`)
  if (value.dispatch === 'throttled' && liveBodies(world) > 1)
    world.breaks('pause', `${key} started beside others while the pool is throttled.`)
  if (row.isUnwanted) world.breaks('cancelled-stays', `${key} started after its job was cancelled.`)
  if (row.outcome !== undefined) world.breaks('one-outcome', `${key} started after its job had ended.`)
  // An attempt whose start was recorded may have been lost before it began.
  if (world.isDurable ? body.attempt <= row.lastAttempt : body.attempt !== row.starts)
    world.breaks('attempts', `${key} is start number ${row.starts} of its job.`)
  const { maxRetries, maxLost } = row.actor.context.policy
  if (row.starts > 1 + maxRetries + Math.min(row.losses, maxLost))
    world.breaks('attempts', `${key} started, but only ${maxRetries} retries are allowed.`)
  const reason = world.orchestrator?.actor.getSnapshot().context.reason
  if (reason !== undefined && body.attempt === 1)
    world.breaks('settling', `${key} started, though the run is ending: ${reason}.`)
  if (world.now < row.notBefore)
    world.breaks('deadlines', `${key} started ${row.notBefore - world.now} ms before its time.`)
  const missing = missingDependency(world, row)
  if (missing !== undefined) world.breaks('dependencies', `${key} started, but ${missing}.`)
  if (!world.agesJobs) checkOrder(world, row, body)
}

function runningBodies(world: WatchedWorld): number {
  return world.releasesZombies ? liveBodies(world) : world.bodies.size
}

/** Those whose job has not given up on them. */
function liveBodies(world: WatchedWorld): number {
  let running = 0
  for (const { job } of world.bodies.values()) if (world.rows.all.get(job)?.outcome === undefined) running++
  return running
}

function missingDependency(
  world: WatchedWorld,
  { node, dependencies, runsOnFailure }: Row,
): string | undefined {
  const { rows } = world
  for (const id of dependencies) {
    const status = rows.all.get(id)?.outcome?.status
    if (status !== 'completed' && !(runsOnFailure && status !== undefined))
      return `its dependency ${id} is ${status ?? 'at work'}`
  }
  if (node === undefined) return undefined
  const growth = rows.growths.get(node)
  if (growth === undefined) return 'nobody was told that its node has grown'
  const { parent } = growth
  if (parent !== undefined) {
    const outcome = rows.byNode.get(parent)?.outcome
    const isOver = outcome?.status === 'completed' || outcome?.status === 'failed'
    if (!isOver && !rows.completedNodes.has(parent)) return `its parent ${parent} is at work`
  }
  for (const name of growth.dependencies) {
    const dependency = world.nodeNamed(name)
    if (dependency === undefined || !rows.completedNodes.has(dependency.id))
      return `the node ${name} it depends on has not completed`
  }
  return undefined
}

function checkOrder(world: WatchedWorld, row: Row, body: Body): void {
  for (const other of world.rows.live) {
    if (other === row || stateOfRow(other) !== READY || !goesBefore(other, row)) continue
    const { priority, score } = other.actor
    world.breaks(
      'order',
      `${body.key} started before ${other.id}, which is ready too, of priority ${PRIORITIES[priority]} and score ${score}.`,
    )
    return
  }
}

function goesBefore({ actor: a }: Row, { actor: b }: Row): boolean {
  if (a.priority !== b.priority) return a.priority < b.priority
  if (a.score !== b.score) return a.score > b.score
  return a.sequence < b.sequence
}

/** What must be so when an executor is asked to end an attempt. */
export function atStop(world: WatchedWorld, row: Row, body: Body): void {
  const { stopping, policy } = row.actor.context
  const earlyMs = body.startedAt + policy.timeoutMs - world.now
  if (stopping?.by === 'timeout' && earlyMs > 0)
    world.breaks('deadlines', `${body.key} was stopped ${earlyMs} ms before its timeout.`)
}

/** What must be so when a job has ended. */
export function atOutcome(world: WatchedWorld, row: Row, { status }: JobResult): void {
  if (row.outcome !== undefined) world.breaks('one-outcome', `Job ${row.id} ended twice.`)
  if (row.isUnwanted && status !== 'cancelled')
    world.breaks('cancelled-stays', `Job ${row.id} was cancelled, but ended as ${status}.`)
}

/** What must be so whenever nothing is left to happen without time passing or something from outside. */
export function atQuiet(world: WatchedWorld): void {
  checkRows(world)
  checkRun(world)
  for (const invariant of world.invariants) checkInvariant(world, invariant)
}

function checkInvariant(world: WatchedWorld, invariant: Invariant): void {
  if (typeof invariant !== 'function') {
    if (invariant.holds(world)) world.kept.add(invariant.name)
    return
  }
  try {
    invariant(world)
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown)
    world.breaks(invariant.name || `invariant ${world.invariants.indexOf(invariant) + 1}`, message)
  }
}

function checkRows(world: WatchedWorld): void {
  const { rows, pool } = world
  const { context, value } = pool.actor.getSnapshot()
  const counts = new Array<number>(JOB_STATES.length).fill(0)
  let waiting: Row | undefined
  for (const row of rows.live) {
    const state = stateOfRow(row)
    counts[state] = (counts[state] as number) + 1
    if (state === READY) waiting = row
    const fault = faultOf(world, row, state)
    if (fault !== undefined) world.breaks('progress', `Job ${row.id} is ${JOB_STATES[state]}, but ${fault}.`)
    if (row.isUnwanted && state !== STOPPING)
      world.breaks('cancelled-stays', `Job ${row.id} was cancelled, but is ${JOB_STATES[state]}.`)
  }
  const running = (counts[EXECUTING] as number) + (counts[STOPPING] as number)
  const queued = (counts[BLOCKED] as number) + (counts[READY] as number) + (counts[DELAYED] as number)
  const status = pool.getStatus()
  const isThrottled = value.dispatch === 'throttled'
  const busy = isThrottled ? liveBodies(world) : runningBodies(world)
  if (value.lifecycle === 'closed' && queued + running > 0)
    world.breaks('termination', `The pool is closed, but ${queued + running} jobs have not ended.`)
  if (value.lifecycle === 'draining' && context.deadlineAt <= world.now && queued > 0)
    world.breaks('termination', `The time to drain is over, but ${queued} jobs are queued still.`)
  const free =
    value.dispatch === 'open'
      ? context.maxParallelJobs
      : isThrottled && world.bodies.size < context.maxParallelJobs
        ? 1
        : 0
  if (waiting !== undefined && busy < free)
    world.breaks(
      'progress',
      `Job ${waiting.id} is ready, but does not start: ${busy} of ${context.maxParallelJobs} slots are busy.`,
    )
  const { completed, failed, cancelled } = rows.ended
  const expected = { queued, running, completed, failed, cancelled }
  // A pool that takes up what another left counts ended jobs only when it is asked for them.
  const counted = world.isDurable ? (['queued', 'running'] as const) : COUNTED
  for (const name of counted) {
    if (status[name] === expected[name]) continue
    world.breaks('counters', `The pool counts ${status[name]} ${name} jobs, but there are ${expected[name]}.`)
  }
  const { blocked, ready, delayed } = status.queuedByState
  if (blocked !== counts[BLOCKED] || ready !== counts[READY] || delayed !== counts[DELAYED])
    world.breaks(
      'counters',
      `The pool counts ${blocked} blocked, ${ready} ready and ${delayed} delayed jobs, but there are others.`,
    )
}

const COUNTED = ['queued', 'running', 'completed', 'failed', 'cancelled'] as const

/** Why what a job waits for cannot come; absent when it can. */
function faultOf(world: WatchedWorld, row: Row, state: number): string | undefined {
  const { actor } = row
  const { deadlineAt, attempt } = actor.context
  switch (state) {
    case BLOCKED:
      return faultOfBlocked(world, row)
    case DELAYED:
      return faultOfDeadline(world, deadlineAt)
    case EXECUTING:
    case STOPPING: {
      const body = world.bodies.get(keyOfAttempt(row.id, attempt))
      if (body === undefined) return `attempt ${attempt} does not run`
      if (state === STOPPING && !body.isStopped) return 'nobody asked its executor to stop'
      if (state === STOPPING && !body.signal.aborted) return 'its signal is not aborted'
      if (state === EXECUTING && body.isStopped) return 'its executor was asked to stop'
      return faultOfDeadline(world, deadlineAt)
    }
    default:
      return undefined
  }
}

function faultOfBlocked(world: WatchedWorld, { node, dependencies, runsOnFailure }: Row): string | undefined {
  const { rows } = world
  const nodes = node === undefined ? [] : (rows.growths.get(node)?.dependencies ?? [])
  const ofNodes = nodes.map((name) => {
    const found = world.nodeNamed(name)
    return found === undefined ? undefined : rows.byNode.get(found.id)
  })
  const ofJobs = dependencies.map((id) => rows.all.get(id))
  const all = [...ofJobs, ...ofNodes]
  const parent = node === undefined ? undefined : rows.growths.get(node)?.parent
  if (parent !== undefined) all.push(rows.byNode.get(parent))
  for (const each of all) {
    const status = each?.outcome?.status
    if (status === undefined || status === 'completed' || runsOnFailure) continue
    if (each === undefined || each.node === parent) continue
    return `${each.id}, which it depends on, is ${status}`
  }
  const isWaiting = all.some((each) => each !== undefined && each.outcome === undefined)
  return isWaiting ? undefined : 'all that it depends on has ended'
}

function faultOfDeadline(world: WatchedWorld, deadlineAt: number | undefined): string | undefined {
  if (deadlineAt === undefined) return 'it has no deadline'
  const wakeAt = world.clock.nextWakeAt
  // Time may have passed while the process stood still: then the wake is due, but is still to come.
  if (wakeAt !== undefined && wakeAt <= Math.max(deadlineAt, world.now)) return undefined
  return 'nobody will be woken at its deadline'
}

function checkRun(world: WatchedWorld): void {
  const { orchestrator, limits, rows, outcome, questions } = world
  if (orchestrator === undefined) return
  for (const { id, node, actor } of rows.live) {
    const told = node === undefined ? undefined : rows.told.get(node)
    if (told === undefined || told.jobId !== id || told.status === actor.status) continue
    world.breaks('counters', `${node} is ${told.status}, but its job ${id} is ${actor.status}.`)
  }
  if (questions.size > limits.maxParallelExpands)
    world.breaks(
      'tree-limits',
      `${questions.size} expands are open, but maxParallelExpands is ${limits.maxParallelExpands}.`,
    )
  const run = orchestrator.actor.getSnapshot()
  if (run.hasTag('growing') && run.context.deadlineAt > 0) {
    const fault = faultOfDeadline(world, run.context.deadlineAt)
    if (fault !== undefined) world.breaks('progress', `The run may not go on for ever, but ${fault}.`)
  }
  if (outcome !== undefined && questions.size > 0)
    world.breaks('termination', `The run has ended, but ${questions.size} decisions are open.`)
  if (outcome !== undefined && outcome.status !== STATUS_FOR[outcome.reason])
    world.breaks(
      'termination',
      `The run has ended as ${outcome.status}, but for the reason ${outcome.reason}.`,
    )
  if (outcome === undefined && rows.live.size === 0 && questions.size === 0 && rows.told.size > 0)
    world.breaks('progress', 'The run goes on, but no job of it is left and no decision is open.')
  if (outcome !== undefined && rows.live.size > 0)
    world.breaks('termination', `The run has ended, but ${rows.live.size} of its jobs have not.`)
}

const STATUS_FOR: Readonly<Record<RunReason, RunOutcome['status']>> = {
  satisfied: 'completed',
  exhausted: 'completed',
  limit: 'completed',
  failed: 'failed',
  cancelled: 'cancelled',
}

/** What must be so of a node whenever the run tells of it. */
export function atChange(world: WatchedWorld, { id, parentId, depth, children, revisions }: TreeNode): void {
  const { maxNodes, maxDepth, maxChildrenPerNode, maxRevisions } = world.limits
  const { size } = world.rows.told
  const exceeds = (name: string, count: number, limit: number) => {
    if (count > limit)
      world.breaks('tree-limits', `With ${id}, ${name} is ${count}, but the limit is ${limit}.`)
  }
  exceeds('the number of nodes', size, maxNodes)
  exceeds('the depth', depth, maxDepth)
  exceeds('the number of its children', children.length, maxChildrenPerNode)
  exceeds('the number of its revisions', revisions, maxRevisions)
  const parent = parentId === undefined ? undefined : world.rows.told.get(parentId)
  if (depth !== (parent === undefined ? 0 : parent.depth + 1))
    world.breaks('tree-limits', `${id} is at depth ${depth}, but its parent ${parentId} at ${parent?.depth}.`)
}

/** What was told, added up, is the tree. */
function checkTold(world: WatchedWorld): void {
  const { rows, nodes } = world
  for (const node of nodes) {
    const { id, parentId, status, jobId } = node
    if (rows.told.get(id) !== node) world.breaks('journal', `What was told last of ${id} is not what it is.`)
    if (parentId !== undefined && !rows.told.get(parentId)?.children.includes(id))
      world.breaks('journal', `${id} is no child of its parent ${parentId}.`)
    const ended = rows.all.get(jobId)?.outcome?.status
    if ((status === 'pruned' ? 'cancelled' : status) !== ended)
      world.breaks('journal', `${id} is ${status}, but its job ${jobId} has ended as ${ended}.`)
  }
  if (nodes.length !== rows.told.size)
    world.breaks('journal', `${rows.told.size} nodes were told of, but there are ${nodes.length}.`)
}

/** What must be so when nothing is left to happen at all. */
export function atEnd(world: WatchedWorld): void {
  const { rows, bodies, outcome, orchestrator } = world
  for (const { id, actor } of rows.live)
    world.breaks('termination', `Job ${id} never ends: it is ${actor.status}.`)
  if (orchestrator !== undefined && outcome === undefined) world.breaks('termination', 'The run never ends.')
  for (const key of bodies.keys()) world.breaks('termination', `Attempt ${key} still runs.`)
  checkTold(world)
  for (const { id, actor, outcome: told } of rows.all.values()) {
    if (actor.getSnapshot().output !== told)
      world.breaks('one-outcome', `The outcome of job ${id} has changed.`)
  }
  for (const invariant of world.invariants) {
    if (typeof invariant === 'function' || world.kept.has(invariant.name)) continue
    world.breaks(invariant.name, `"${invariant.name}" never came about.`)
  }
}

/** The least rest between two attempts, whatever chance says. */
export const leastBackoffMs = (row: Row, failures: number): number =>
  backoffMs(row.actor.context.policy.backoff, failures, 0)
