import { type Deadline, deadlinesOf } from '../invariants/deadlines.ts'
import { type Fault, type FaultType, isStricken } from '../model/faults.ts'
import type { Deed } from '../model/step.ts'
import { canCancelRun, isHalted, isLimited, isPaused, isShutDown, isThrottled } from '../world/standing.ts'
import type { World } from '../world/world.ts'

/** Something that can happen next. */
export interface Choice {
  readonly deed: Deed
  /** Whether it is a fault: what must end by itself may not count on it. */
  readonly isFault: boolean
  /** For `wait`: until when, epoch ms. */
  readonly until?: number
}

/** The faults that an exploration can place. A standstill is a matter of durations, which it leaves out. */
export const EXPLORED_FAULTS: readonly FaultType[] = [
  'fail',
  'timeout',
  'lost',
  'rejected',
  'deaf',
  'duplicate',
  'cancel',
  'crash',
  'pause',
  'refuse',
  'shutdown',
  'halt',
  'pressure',
  'limit',
]

/** All that can happen next in a world, in an order that does not depend on how it came about. */
export function choicesOf(world: World, faults: readonly Fault[]): readonly Choice[] {
  if (world.isOver) return []
  const choices: Choice[] = []
  ofBodies(world, faults, choices)
  for (const node of world.questions.keys()) choices.push({ deed: { do: 'decide', node }, isFault: false })
  const wait = ofTime(world, faults)
  if (wait !== undefined) choices.push(wait)
  ofTheWhole(world, faults, choices)
  return choices
}

const ENDINGS = [
  ['fail', 'fail'],
  ['lost', 'lose'],
  ['rejected', 'reject'],
] as const

function ofBodies(world: World, faults: readonly Fault[], choices: Choice[]): void {
  for (const body of world.bodies.values()) {
    const { job, attempt, outcomes, isStopped } = body
    const isZombie = world.rows.all.get(job)?.outcome !== undefined
    // One that was asked to end does so, or has just come to its own end; of a zombie nobody hears how it ends.
    if (isStopped && !isZombie) choices.push({ deed: { do: 'obey', job, attempt }, isFault: false })
    const ways = isStopped ? 1 : outcomes.length
    for (let as = 0; as < ways; as++) choices.push({ deed: { do: 'end', as, job, attempt }, isFault: false })
    if (isStopped) continue
    const stricken = world.strickenBy(body)
    for (const [type, deed] of ENDINGS) {
      if (faults.some((fault) => fault.type === type && isStricken(fault, stricken)))
        choices.push({ deed: { do: deed, job, attempt }, isFault: true })
    }
  }
}

/**
 * Time goes on to the next deadline, if nothing must happen before it: an attempt that may not time out ends earlier,
 * and one that is not deaf ends within its grace.
 */
function ofTime(world: World, faults: readonly Fault[]): Choice | undefined {
  const [next] = deadlinesOf(world)
  if (next === undefined) return undefined
  // A store that refuses is tried again and again: it is enough to see that twice.
  if (next.owner === 'store' && (world.disk?.refusals ?? 0) >= REFUSALS_SEEN) return undefined
  const needed = FAULT_OF[next.kind]
  const body = world.bodyOf(next.owner)
  const strikes = (fault: Fault) =>
    fault.type === needed && (body === undefined || isStricken(fault, world.strickenBy(body)))
  if (needed !== undefined && !faults.some(strikes)) return undefined
  return { deed: { do: 'wait', wakes: 0 }, isFault: needed !== undefined, until: next.at }
}

/** So many refusals in a row are told apart. */
export const REFUSALS_SEEN = 2

const FAULT_OF: Readonly<Record<Deadline['kind'], FaultType | undefined>> = {
  rest: undefined,
  drain: undefined,
  limit: 'timeout',
  grace: 'deaf',
}

function ofTheWhole(world: World, faults: readonly Fault[], choices: Choice[]): void {
  if (isThrottled(world) || world.host.isPressed)
    choices.push({ deed: { do: 'pressure', isRaised: false }, isFault: false })
  if (isLimited(world)) choices.push({ deed: { do: 'limit', isLowered: false }, isFault: false })
  if (isPaused(world)) choices.push({ deed: { do: 'resume' }, isFault: false })
  if (world.disk?.refusals !== undefined)
    choices.push({ deed: { do: 'refuse', isFull: false }, isFault: false })
  for (const { type, on } of faults) {
    const deed = deedOfTheWhole(world, type)
    if (deed !== undefined) choices.push({ deed, isFault: true })
    if (type !== 'cancel') continue
    if (on === undefined && canCancelRun(world)) choices.push({ deed: { do: 'cancel' }, isFault: true })
    for (const { id: job, node, handler, isUnwanted } of world.rows.live) {
      const key = node === undefined ? undefined : world.node(node)?.key
      if (
        !isUnwanted &&
        isStricken({ type, ...(on === undefined ? {} : { on }) }, { job, node, key, handler, attempt: 0 })
      )
        choices.push({ deed: { do: 'cancel', job }, isFault: true })
    }
  }
}

function deedOfTheWhole(world: World, type: FaultType): Deed | undefined {
  if (type === 'pause' && !isPaused(world)) return { do: 'pause' }
  if (type === 'pressure' && !isPaused(world) && !isThrottled(world) && !world.host.isPressed)
    return { do: 'pressure', isRaised: true }
  if (type === 'limit' && !isLimited(world)) return { do: 'limit', isLowered: true }
  if (type === 'crash' && !world.hasEnded) return { do: 'crash' }
  if (type === 'refuse' && world.disk?.refusals === undefined && !world.hasEnded)
    return { do: 'refuse', isFull: true }
  if (type === 'shutdown' && !isShutDown(world)) return { do: 'shutdown', wait: true }
  if (type === 'halt' && !isHalted(world)) return { do: 'shutdown', wait: false }
  return undefined
}
