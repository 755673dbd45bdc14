import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMemoryStore, isEspalierError, openSqliteStore } from 'espalier'
import { afterAll, describe, expect, test } from 'vitest'
import { microsOf } from '../../../src/http/notes/micros.ts'
import {
  CANCEL_SOURCES,
  decodeBlock,
  decodeRecording,
  EVENTS,
  JOB_STATES,
  type RecordingHeader,
  RunModel,
} from '../../../src/protocol/index.ts'
import { type StoryOptions, StoryWorld, type Told } from './story-world.ts'

const folder = mkdtempSync(join(tmpdir(), 'espalier-story-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** `SEED=17 SEEDS=50 npx vitest …` tells other stories. */
const FIRST_SEED = Number(process.env.SEED ?? 1)
const SEEDS = Number(process.env.SEEDS ?? 2)

/** Events whose time somebody else tells too. */
const TIMED: ReadonlySet<string> = new Set([
  'job.submitted',
  'dependencies.met',
  'slot.granted',
  'attempt.started',
  'deadline.reached',
  'job.cancel',
  'attempt.completed',
  'attempt.failed',
])
const UNCOMPARED: ReadonlySet<string> = new Set(['attempt.progressed', 'attempt.ended'])

async function recorded({ feed }: StoryWorld): Promise<{ model: RunModel; header: RecordingHeader }> {
  const { header, blocks } = decodeRecording(await feed.recording())
  const model = new RunModel()
  for (const block of blocks) model.apply(decodeBlock(block))
  return { model, header }
}

/** What a recording tells of each job, by its sequence, in the words of {@link Told}. */
function livesIn(model: RunModel, { startedAt, idPrefix }: RecordingHeader): Map<number, Told> {
  const { events, jobs } = model.tables
  const began = microsOf(startedAt)
  const lives = Array.from({ length: jobs.sequence.length }, (_, row): Told => {
    const sequence = jobs.sequence.get(row)
    const state = JOB_STATES[model.jobs.state.get(row)] as string
    const priority = model.jobs.priority.get(row)
    return { sequence, id: model.jobId(row, idPrefix), events: [], state, priority, result: undefined }
  })
  for (let row = 0; row < events.at.length; row++) {
    const { name, subject } = EVENTS[events.code.get(row)] as (typeof EVENTS)[number]
    if (subject !== 'job' || UNCOMPARED.has(name)) continue
    const state = JOB_STATES[events.state.get(row)]
    const { events: told } = lives[events.subject.get(row)] as Told
    const detail = events.detail.get(row)
    if (TIMED.has(name)) told.push(`${name} ${state} @${began + events.at.get(row)}`)
    else if (name === 'job.ignored') told.push(`${name} ${EVENTS[detail]?.name ?? 'unknown'}`)
    else if (name === 'job.prioritised') told.push(`${name} ${detail}`)
    else told.push(name)
  }
  return new Map(lives.map((life) => [life.sequence, life]))
}

/** Whoever has failed has thrown what is recorded last, and whoever was cancelled was so for what is recorded last. */
function expectResults(model: RunModel, told: ReadonlyMap<number, Told>): void {
  const { jobs, errors, cancels, events } = model.tables
  const lastCancel = new Map<number, number>()
  for (let row = 0; row < events.at.length; row++)
    if (EVENTS[events.code.get(row)]?.name === 'job.cancel')
      lastCancel.set(events.subject.get(row), events.detail.get(row) - 1)
  for (let job = 0; job < jobs.sequence.length; job++) {
    const result = told.get(jobs.sequence.get(job))?.result
    if (result === undefined) continue
    const { jobId, status, error, reason, cancelledBy, causedBy } = result
    // What runs into its timeout throws whatever it likes, or nothing.
    if (status === 'failed' && !isEspalierError(error, 'ESP_ATTEMPT_TIMEOUT')) {
      const message = model.text(errors.message.get(model.jobs.error.get(job) - 1))
      expect({ jobId, message }).toEqual({ jobId, message: error?.message })
    }
    if (status !== 'cancelled') continue
    const cancel = lastCancel.get(job) as number
    const cause = cancels.causedBy.get(cancel) - 1
    const causeId = cause < 0 ? undefined : told.get(jobs.sequence.get(cause))?.id
    expect({
      jobId,
      reason: model.text(cancels.reason.get(cancel)),
      cancelledBy: CANCEL_SOURCES[cancels.by.get(cancel)],
      causedBy: causeId ?? causedBy,
    }).toEqual({ jobId, reason, cancelledBy, causedBy })
  }
}

/** Each attempt has a slot of its own for as long as it runs, and none starts beyond the limit. */
function expectSlots(model: RunModel, limitAtFirst: number, { releasesZombies, isStored }: StoryWorld): void {
  const { events } = model.tables
  const slotOf = new Map<number, number>()
  const running = new Set<number>()
  const zombies = new Map<number, number>()
  const limits = [{ at: 0, limit: limitAtFirst }]
  for (let row = 0; row < events.at.length; row++)
    if (EVENTS[events.code.get(row)]?.name === 'pool.limited')
      limits.push({ at: events.at.get(row), limit: events.detail.get(row) })
  for (let row = 0; row < events.at.length; row++) {
    const { name, subject } = EVENTS[events.code.get(row)] as (typeof EVENTS)[number]
    const at = events.at.get(row)
    const detail = events.detail.get(row)
    if (subject !== 'job') continue
    const job = events.subject.get(row)
    const isRunning = JOB_STATES[events.state.get(row)]?.startsWith('running.') === true
    if (name === 'slot.granted') {
      running.add(job)
      // A lower limit is told at once, and grants from before it behind their commit.
      const limit = limits.findLast((each) => each.at <= at)?.limit
      expect(running.size + zombies.size, `at ${at}`).toBeLessThanOrEqual(limit as number)
    } else if (name === 'attempt.started') {
      // In a store an attempt takes its slot behind the commit of its start, and a zombie may have left it in between.
      const taken = isStored ? slotOf.values() : [...slotOf.values(), ...zombies.values()]
      expect([...taken], `at ${at}`).not.toContain(detail)
      slotOf.set(job, detail)
    } else if (name === 'attempt.abandoned') {
      if (!releasesZombies) zombies.set(job, model.attempts.slot.get(model.jobs.attempt.get(job) - 1))
    } else if (name === 'attempt.ended') zombies.delete(job)
    else if (!isRunning) {
      running.delete(job)
      slotOf.delete(job)
    }
  }
  expect([running.size, zombies.size]).toEqual([0, 0])
}

async function look(world: StoryWorld): Promise<void> {
  const { counts } = world
  const { model, header } = await recorded(world)
  const lives = livesIn(model, header)
  for (const [sequence, { id, events, state, priority }] of world.told)
    expect(lives.get(sequence)).toEqual({ sequence, id, events, state, priority, result: undefined })
  expect(lives.size).toBe(world.told.size)
  expect(Array.from(model.jobCounts)).toEqual(counts)
  expectResults(model, world.told)
}

async function tell(seed: number, options: StoryOptions): Promise<void> {
  const world = new StoryWorld(seed, options, look)
  const { maxParallelJobs } = world.pool.getStatus()
  await world.run()
  const { model } = await recorded(world)
  if (options.isLively) expectSlots(model, maxParallelJobs, world)
  await world.close()
}

const ways = Array.from({ length: SEEDS }, (_, index) => FIRST_SEED + index).flatMap((seed) =>
  [true, false].flatMap((isLively) =>
    [true, false].flatMap((isWatched) =>
      [true, false].map((isAsked) => ({ seed, isLively, isWatched, isAsked })),
    ),
  ),
)
const how = 'seed $seed, lively $isLively, watched $isWatched, asked $isAsked'

describe('a recording tells of each job what its pool told', () => {
  test.each(ways)(`in memory: ${how}`, ({ seed, ...options }) => tell(seed, options))

  test.each(ways)(`with a store that refuses at times: ${how}`, ({ seed, ...options }) =>
    tell(seed, { ...options, store: createMemoryStore() }),
  )

  // Each of its commits waits for the disk.
  test.each(ways.filter(({ isLively, isWatched }) => isLively && !isWatched))(
    `with a SQLite store that refuses at times: ${how}`,
    async ({ seed, ...options }) => {
      const store = openSqliteStore(join(folder, `${seed}-${options.isAsked}.db`))
      await tell(seed, { ...options, store })
      store.close()
    },
  )
})
