import { createInspector, type StatelyInspectionEvent } from '@statelyai/inspect'
import { describe, expect, test } from 'vitest'
import type { InspectionEvent } from 'xstate'
import { StatelyActors } from '../../inspector/model/stately-actors.ts'
import { sampleInspection } from '../../src/statechart/index.ts'
import { createPool, expectAllSlotsFree } from './harness.ts'

describe('inspection', () => {
  test('shows the pool and each job as its child, with events and snapshots', async () => {
    const events: InspectionEvent[] = []
    const { pool } = createPool({ inspect: (event) => events.push(event) })
    const job = pool.submitJob({ id: 'j', execute: () => 1 })
    await job.result()
    const actors = events.filter((event) => event.type === '@xstate.actor').map(({ actorRef }) => actorRef)
    expect(actors.map(({ sessionId }) => sessionId)).toEqual([pool.actor.sessionId, job.sessionId])
    const parents = actors.map((actor) => (actor as { _parent?: { sessionId: string } })._parent?.sessionId)
    expect(parents).toEqual([undefined, pool.actor.sessionId])
    const ofJob = events.filter(({ actorRef }) => actorRef === (job as unknown))
    const told = ofJob.flatMap((event) => (event.type === '@xstate.event' ? [event.event.type] : []))
    expect(told).toEqual(['xstate.init', 'dependencies.met', 'slot.granted', 'attempt.completed'])
    const values = ofJob.flatMap((event) =>
      event.type === '@xstate.snapshot' ? [(event.snapshot as { value?: unknown }).value] : [],
    )
    expect(values).toEqual([
      { queued: 'blocked' },
      { queued: 'ready' },
      { running: 'executing' },
      'completed',
    ])
    const actions = ofJob.flatMap((event) => (event.type === '@xstate.action' ? [event.action.type] : []))
    expect(actions).toEqual(expect.arrayContaining(['requestSlot', 'startAttempt', 'wakeAt', 'settle']))
    for (const { rootId } of events) expect(rootId).toBe(pool.actor.sessionId)
  })

  test('takes an observer as well as a function', async () => {
    const types = new Set<string>()
    const { pool } = createPool({ inspect: { next: ({ type }) => types.add(type) } })
    await pool.submitJob({ execute: () => 1 }).result()
    expect(types).toEqual(
      new Set(['@xstate.actor', '@xstate.event', '@xstate.microstep', '@xstate.action', '@xstate.snapshot']),
    )
  })

  test('that throws is logged once and changes nothing', async () => {
    const { pool, clock, logger } = createPool({
      inspect: () => {
        throw new Error('inspector broke')
      },
    })
    const job = pool.submitJob({ execute: () => 'value' })
    expect(await job.value()).toBe('value')
    await expectAllSlotsFree(pool, clock)
    expect(logger.at('error')).toEqual([expect.stringContaining('inspector threw')])
    await pool.shutdown()
    expect(pool.getHealth().status).toBe('closed')
  })

  test('reaches Stately’s inspector in its three kinds of message', async () => {
    const messages: StatelyInspectionEvent[] = []
    const last = Promise.withResolvers<void>()
    // The inspector converts when the machine is idle, and in order: the pool's last snapshot comes last.
    const isClosed = (message: StatelyInspectionEvent) =>
      message.type === '@xstate.snapshot' && JSON.stringify(message.snapshot).includes('"lifecycle":"closed"')
    const inspector = createInspector({
      send: (message) => {
        messages.push(message)
        if (isClosed(message)) last.resolve()
      },
    })
    const { pool } = createPool({ inspect: inspector.inspect })
    const job = pool.submitJob({ execute: () => 1 })
    await job.result()
    await pool.shutdown()
    await last.promise
    expect(new Set(messages.map(({ type }) => type))).toEqual(
      new Set(['@xstate.actor', '@xstate.event', '@xstate.snapshot']),
    )
    const ofJob = messages.filter(({ sessionId }) => sessionId === job.sessionId)
    const announced = ofJob.find(({ type }) => type === '@xstate.actor')
    expect(announced).toMatchObject({ name: job.id, parentId: pool.actor.sessionId })
    expect(JSON.parse((announced as { definition: string }).definition)).toMatchObject({
      id: 'job',
      initial: 'queued',
    })
    expect(ofJob.at(-1)).toMatchObject({
      type: '@xstate.snapshot',
      snapshot: { status: 'done', value: 'completed', output: { jobId: job.id } },
    })
  })

  test('of a large run is sampled for Stately’s inspector: whole actors, always the same ones, and it says so', async () => {
    const first = await sampledRun(1_000)
    const announced = first.messages.filter(({ type }) => type === '@xstate.actor')
    const names = announced.map((message) => (message as { name: string }).name)
    // The first 10, of the next 10 every second, of the next 20 every fourth: 5 of each doubling.
    const jobs = names.filter((name) => name !== 'pool' && name !== 'sampled').map(Number)
    expect(jobs.slice(0, 20)).toEqual([...Array(10).keys(), 10, 12, 14, 16, 18, 20, 24, 28, 32, 36])
    expect(jobs.length).toBe(10 + 6 * 5 + 3)
    expect(first.sampled).toEqual({ shown: jobs.length + 1, leftOut: 1_000 - jobs.length })

    const told = new Set(announced.map(({ sessionId }) => sessionId))
    for (const { sessionId } of first.messages) expect(told).toContain(sessionId)
    const { actors } = first.page
    const states = jobs.map((name) => first.pageActor(String(name))?.value)
    expect(states).toEqual(jobs.map(() => 'completed'))
    const { leftOut } = actors.get('sampled')!.context as { leftOut: number }
    expect(leftOut).toBeGreaterThan(first.sampled.leftOut / 1.1)
    expect(leftOut).toBeLessThanOrEqual(first.sampled.leftOut)
    expect(first.page.leftOut).toBe(leftOut)

    const second = await sampledRun(1_000)
    expect(Array.from(second.page.actors.values(), ({ name }) => name)).toEqual(names)
  })

  test('of a small run is left as it is', async () => {
    const { page, sampled } = await sampledRun(10)
    expect(sampled).toEqual({ shown: 11, leftOut: 0 })
    expect(page.actors.size).toBe(11)
  })
})

/** A run of jobs named by their number, as Stately’s inspector and our page get it. */
async function sampledRun(jobs: number) {
  const messages: StatelyInspectionEvent[] = []
  const page = new StatelyActors()
  const last = Promise.withResolvers<void>()
  const inspector = createInspector({
    send: (message) => {
      messages.push(message)
      page.take(message)
      if (message.type === '@xstate.snapshot' && JSON.stringify(message.snapshot).includes('"closed"'))
        last.resolve()
    },
  })
  const inspection = sampleInspection(inspector, { firstActors: 10 })
  const { pool } = createPool({ inspect: inspection })
  for (let index = 0; index < jobs; index++) pool.submitJob({ id: String(index), execute: () => index })
  await pool.waitForAll()
  await pool.shutdown()
  await last.promise
  const pageActor = (wanted: string) => page.actors.values().find(({ name }) => name === wanted)
  return { messages, page, pageActor, sampled: inspection.sampled }
}
