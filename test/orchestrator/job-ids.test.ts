import { grow, node, Orchestrator, revise } from 'espalier'
import { describe, expect, test } from 'vitest'
import { createPool, expectConsistent } from '../runtime/harness.ts'
import { decide, grown, held, started, value } from './harness.ts'

const single = { name: 'w', handlers: { one: () => 1 }, root: () => node({ handler: 'one' }) }

describe('the job of a node', () => {
  test('is found by its id, which tells the run and the node', async () => {
    const trial = await started({ expand: decide({ root: grow([value('a'), held('b')]) }) })
    for (const { id, jobId } of trial.nodes) {
      expect(jobId).toBe(`run.${id}`)
      expect(trial.pool.job(jobId)).toMatchObject({ id: jobId, nodeId: id, treeId: 'run' })
    }
    const unknown = ['run.n3', 'run.n', 'run.', 'run.n01', 'run.n-1', 'run.n1.5', 'run.n1e0', 'run.x1', 'n1']
    expect(unknown.map((id) => trial.pool.job(id))).toEqual(unknown.map(() => undefined))
    await trial.complete('b')
    trial.expectNothingLeft()
  })

  test('has an id of its own for each revision', async () => {
    const trial = await grown({
      expand: decide({ root: ({ node: { revisions } }) => (revisions < 2 ? revise({}) : undefined) }),
    })
    expect(trial.node('root').jobId).toBe('run.n0.2')
    expect(['run.n0', 'run.n0.1', 'run.n0.2'].map((id) => trial.pool.job(id)?.id)).toEqual([
      'run.n0',
      'run.n0.1',
      'run.n0.2',
    ])
  })

  test('has an id that nobody else can choose', async () => {
    const trial = await started({ root: () => held('root') })
    expect(() => trial.pool.submitJob({ id: 'run.n0', execute: () => 1 })).toThrow(
      expect.objectContaining({ code: 'ESP_DUPLICATE_JOB' }),
    )
    const other = trial.pool.submitJob({ id: 'follow', execute: () => 2, dependencies: ['run.n0'] })
    await trial.complete('root')
    expect(await other.value()).toBe(2)
    trial.expectNothingLeft()
  })

  test('is refused when a user has chosen its id before', async () => {
    const { pool } = createPool()
    pool.submitJob({ id: 'run.n0', execute: () => 1 })
    const outcome = await new Orchestrator(single, { pool, runId: 'run' }).run()
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'ESP_DUPLICATE_JOB' } })
    expectConsistent(pool)
  })

  test('is refused when a run of the same id has been in this pool', async () => {
    const { pool } = createPool()
    expect(await new Orchestrator(single, { pool, runId: 'run' }).run()).toMatchObject({
      status: 'completed',
    })
    const again = await new Orchestrator(single, { pool, runId: 'run' }).run()
    expect(again).toMatchObject({
      status: 'failed',
      error: { code: 'ESP_DUPLICATE_JOB', details: { jobId: 'run.n0' } },
    })
    expectConsistent(pool)
  })

  test('that was forgotten is still known by its outcome', async () => {
    const { pool } = createPool({ keep: 0 })
    await new Orchestrator(single, { pool, runId: 'run' }).run()
    expect(pool.job('run.n0')).toBeUndefined()
    const after = pool.submitJob({ execute: () => 2, dependencies: ['run.n0'] })
    expect(await after.value()).toBe(2)
    expect(() => pool.submitJob({ id: 'run.n0', execute: () => 1 })).toThrow(
      expect.objectContaining({ code: 'ESP_DUPLICATE_JOB' }),
    )
  })
})
