import { createInspector, type StatelyInspectionEvent } from '@statelyai/inspect'
import { describe, expect, test } from 'vitest'
import type { InspectionEvent } from 'xstate'
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
})
