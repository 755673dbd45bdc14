import type { JobId } from '../../domain/job.ts'
import type { NodeId } from '../../domain/node-spec.ts'
import type { PressureReason } from '../../domain/pressure.ts'
import { type Body, keyOfAttempt } from '../model/body.ts'
import type { Deed } from '../model/step.ts'
import type { InnerWorld } from './inner-world.ts'

/** Does one thing to a world, as its `do` says. */
export function doDeed(world: InnerWorld, deed: Deed): boolean {
  switch (deed.do) {
    case 'end':
    case 'obey':
    case 'fail':
    case 'lose':
    case 'reject':
      return endBody(world, deed)
    case 'repeat':
      return repeatEnd(world, keyOfAttempt(deed.job, deed.attempt))
    case 'decide':
      return deliver(world, deed.node)
    case 'wait':
      return world.clock.next !== undefined
    case 'cancel':
      return cancel(world, deed.job)
    case 'pause':
      world.pool.pause()
      return true
    case 'resume':
      world.pool.resume()
      return true
    case 'limit':
      world.pool.setMaxParallelJobs(deed.isLowered ? 1 : world.maxParallelJobs)
      return true
    case 'pressure':
      press(world, deed.isRaised)
      return true
    case 'shutdown':
      void world.pool.shutdown({ wait: deed.wait, leave: false })
      return true
    case 'stall':
      world.clock.goTo(world.now + deed.ms)
      return true
    case 'crash':
      return world.crash(deed)
    case 'refuse':
      return world.refuse(deed)
  }
}

function endBody(world: InnerWorld, deed: Extract<Deed, { attempt: number }>): boolean {
  const key = keyOfAttempt(deed.job, deed.attempt)
  const body = world.bodies.get(key)
  if (body === undefined) return false
  if (deed.do === 'end' && body.outcomes[deed.as] === undefined) return false
  world.bodies.delete(key)
  world.endedBodies.set(key, body)
  const row = world.rows.all.get(body.job)
  if (row !== undefined) row.endedAt = world.now
  if (deed.do === 'end') body.end(deed.as)
  else if (deed.do === 'obey') body.obey()
  else if (deed.do === 'fail') body.fail(new Error('simulated failure'))
  else if (deed.do === 'lose') lose(world, body)
  else body.reject()
  return true
}

function lose(world: InnerWorld, body: Body): void {
  const row = world.rows.all.get(body.job)
  if (row !== undefined) row.losses++
  body.lose()
}

/** Results that come twice or too late must change nothing, whichever way they come. */
export function repeatEnd(world: InnerWorld, key: string): boolean {
  const body = world.endedBodies.get(key)
  if (body === undefined) return false
  const row = world.rows.all.get(body.job)
  const before = JSON.stringify(world.pool.getStatus())
  const snapshots = Array.from(world.rows.live, ({ actor }) => actor.getSnapshot())
  body.repeat()
  const { job: jobId, attempt } = body
  const stale = { at: world.now, attempt, error: new Error('stale'), reason: 'error', random: 0 } as const
  row?.actor.take({ type: 'attempt.completed', at: world.now, attempt, value: 'stale' })
  row?.actor.take({ type: 'attempt.failed', ...stale })
  while (world.clock.runSoon());
  const isSame =
    JSON.stringify(world.pool.getStatus()) === before &&
    Array.from(world.rows.live, ({ actor }) => actor.getSnapshot()).every((each, i) => each === snapshots[i])
  if (!isSame)
    world.breaks('stale-results', `A second report of the end of ${jobId}#${attempt} changed something.`)
  return true
}

function deliver(world: InnerWorld, node: NodeId): boolean {
  const question = world.questions.get(node)
  if (question === undefined) return false
  world.questions.delete(node)
  question.deliver()
  world.turns.need()
  return true
}

function press(world: InnerWorld, isRaised: boolean): void {
  world.host.isPressed = isRaised
  if (world.watchesHost) return
  const reason: PressureReason = { measure: 'cpuLoad', value: 2, clear: 1 }
  const at = world.now
  world.pool.actor.send(
    isRaised ? { type: 'pressure.raised', at, reasons: [reason] } : { type: 'pressure.cleared', at },
  )
}

function cancel(world: InnerWorld, job: JobId | undefined): boolean {
  if (job === undefined) {
    if (world.orchestrator === undefined || world.hasEnded) return false
    for (const row of world.rows.live) row.isUnwanted = true
    world.orchestrator.cancel()
    return true
  }
  const row = world.rows.all.get(job)
  if (row === undefined || row.outcome !== undefined) return false
  row.isUnwanted = world.pool.cancelJob(job)
  return true
}
