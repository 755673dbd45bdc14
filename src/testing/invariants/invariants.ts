import { EspalierError } from '../../domain/errors.ts'
import type { JobResult } from '../../domain/job.ts'
import { backoffMs } from '../../domain/retry.ts'
import type { Body } from '../model/body.ts'
import type { Row } from '../model/rows.ts'
import type { Eventually, Invariant, WatchedWorld } from '../model/world-view.ts'
import { checkJobs } from './job-invariants.ts'
import { checkRun, checkTold } from './run-invariants.ts'
import { checkStored, checkTrace } from './stored-invariants.ts'

/** A property that every run must come to have, at some quiet point before it ends. */
export const eventually = (name: string, holds: Eventually['holds']): Eventually => ({ name, holds })

/** The promises that are checked in every world, and what each says. */
export const BUILT_IN_INVARIANTS = {
  slots: 'No more attempts run than there are slots.',
  resources: 'Running jobs never hold more of a resource than there is.',
  dependencies: 'No job starts before what it depends on has completed.',
  order: 'A free slot goes to the ready job of the highest priority, then score, then to the oldest.',
  pause: 'Nothing starts while the pool is paused, and one at a time while it is throttled.',
  attempts: 'Attempts are numbered without gaps, and are no more than the retries allow.',
  deadlines: 'Timeouts, delays and backoffs never end early.',
  'one-outcome': 'A job ends once, and its outcome never changes.',
  'cancelled-stays': 'No attempt starts after a cancel was acknowledged.',
  settling: 'When a tree grows no more, no job of it starts for the first time.',
  durability: 'What was told survives a crash.',
  stored: 'What is known of a job is what is stored of it, and the stored trace folds to it.',
  'stale-results': 'A result that comes twice or too late changes nothing.',
  'tree-limits': 'The tree stays within its limits.',
  counters: 'The counts of the pool are those of its jobs.',
  progress: 'Nothing waits for what can never come.',
  journal: 'What was told adds up to what is.',
  termination: 'Once nothing is left to happen, everything has ended.',
} as const

/** @throws {EspalierError} `ESP_INVALID_OPTION` for anything but a list of what {@link Invariant} says. */
export function checkInvariants(invariants: readonly Invariant[]): readonly Invariant[] {
  const isInvariant = (given: Invariant) =>
    typeof given === 'function' || (typeof given?.name === 'string' && typeof given.holds === 'function')
  if (Array.isArray(invariants) && invariants.every(isInvariant)) return invariants
  const expected = 'a list of functions `(world) => void`, and of what `eventually` makes'
  throw new EspalierError('ESP_INVALID_OPTION', { option: 'invariants', expected, got: invariants })
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
  checkJobs(world)
  checkStored(world)
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

/** What must be so when nothing is left to happen at all. */
export function atEnd(world: WatchedWorld): void {
  const { rows, bodies, outcome, orchestrator } = world
  for (const { id, actor } of rows.live)
    world.breaks('termination', `Job ${id} never ends: it is ${actor.status}.`)
  if (orchestrator !== undefined && outcome === undefined) world.breaks('termination', 'The run never ends.')
  for (const key of bodies.keys()) world.breaks('termination', `Attempt ${key} still runs.`)
  checkTold(world)
  checkTrace(world)
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
