import { JOB_STATES } from '../../domain/job.ts'
import { BLOCKED, DELAYED, EXECUTING, READY, STOPPING } from '../../runtime/job/job-states.ts'
import { keyOfAttempt } from '../model/body.ts'
import { type Row, stateOfRow } from '../model/rows.ts'
import type { WatchedWorld } from '../model/world-view.ts'
import { faultOfDeadline } from './deadlines.ts'
import { lacksResources } from './resources.ts'
import { liveBodies, runningBodies } from './slots-in-use.ts'
import { isUntold } from './untold.ts'

/** What must be so of all jobs, and of the pool that counts them, at a quiet point. */
export function checkJobs(world: WatchedWorld): void {
  const { rows, pool } = world
  const { context, value } = pool.actor.getSnapshot()
  const counts = new Array<number>(JOB_STATES.length).fill(0)
  let waiting: Row | undefined
  let untold = 0
  for (const row of rows.live) {
    const state = stateOfRow(row)
    counts[state] = (counts[state] as number) + 1
    row.isWaiting = state === READY
    if (state === READY && !lacksResources(world, row)) waiting = row
    if (isUntold(world, row)) untold++
    const fault = faultOf(world, row, state)
    if (fault !== undefined) world.breaks('progress', `Job ${row.id} is ${JOB_STATES[state]}, but ${fault}.`)
    if (row.isUnwanted && state !== STOPPING && !world.isRefused)
      world.breaks('cancelled-stays', `Job ${row.id} was cancelled, but is ${JOB_STATES[state]}.`)
  }
  const running = (counts[EXECUTING] as number) + (counts[STOPPING] as number)
  const queued = (counts[BLOCKED] as number) + (counts[READY] as number) + (counts[DELAYED] as number)
  const status = pool.getStatus()
  const isThrottled = value.dispatch === 'throttled'
  const busy = untold + (isThrottled ? liveBodies(world) : runningBodies(world))
  if (value.lifecycle === 'closed' && queued + running > 0)
    world.breaks('termination', `The pool is closed, but ${queued + running} jobs have not ended.`)
  if (value.lifecycle === 'draining' && context.deadlineAt <= world.now && queued > 0 && !world.isRefused)
    world.breaks('termination', `The time to drain is over, but ${queued} jobs are queued still.`)
  const free =
    value.dispatch === 'open'
      ? context.maxParallelJobs
      : isThrottled && world.bodies.size < context.maxParallelJobs
        ? 1
        : 0
  if (waiting !== undefined && busy < free && !world.isRefused)
    world.breaks(
      'progress',
      `Job ${waiting.id} is ready, but does not start: ${busy} of ${context.maxParallelJobs} slots are busy.`,
    )
  const { completed, failed, cancelled } = rows.ended
  const expected = { queued, running, completed, failed, cancelled }
  // A pool that takes up what another left counts ended jobs only when it is asked for them.
  const counted = world.disk !== undefined ? (['queued', 'running'] as const) : COUNTED
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
      if (isUntold(world, row)) return undefined
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
