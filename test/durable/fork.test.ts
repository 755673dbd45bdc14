import {
  createMemoryStore,
  defineWorkflow,
  type EspalierError,
  type ExpandRequest,
  grow,
  JobPool,
  node,
  Orchestrator,
  type RunStore,
  revise,
  runWorkflow,
  satisfy,
  verifyStore,
} from 'espalier'
import { expect, test } from 'vitest'
import { cancelStoredRun } from '../../src/compose.ts'
import { expectFolded } from './world.ts'

/** Counts upwards in steps; fails at 3 first; what it does beyond `until` is for a fork to change. */
function counting({ goal = 5, by = 1, maxNodes = 50 } = {}) {
  const ran: string[] = []
  const asked: string[] = []
  const workflow = defineWorkflow({
    name: 'counting',
    handlers: {
      count: (value: number) => {
        ran.push(String(value))
        if (value === -3) throw new Error('not this way')
        return Math.abs(value)
      },
    },
    limits: { maxDepth: 100, maxNodes },
    root: () => node({ handler: 'count', input: 1 }),
    expand: ({ node: { id }, result }: ExpandRequest) => {
      asked.push(id)
      if (result.status === 'failed') return revise({ input: 3 }, 'upwards')
      const value = result.value as number
      if (value >= goal) return satisfy(value, 'there')
      return grow([node({ handler: 'count', input: value + by === 3 ? -3 : value + by })], `on from ${value}`)
    },
  })
  return { workflow, ran, asked }
}

/** The number of the event that decided about a node. */
function decisionAbout(store: RunStore, runId: string, nodeId: string, type: string): number {
  for (const { seq, event } of store.trace({ runId })) {
    const { decision } = event as { readonly decision?: { readonly type: string } }
    if (event.type === 'node.decided' && event.nodeId === nodeId && decision?.type === type) return seq
  }
  throw new Error(`Nothing was decided about ${nodeId}.`)
}

test('a fork takes what was done up to an event, and goes on under other code and limits', async () => {
  const store = createMemoryStore()
  const first = counting()
  const source = await runWorkflow(first.workflow, { store, runId: 'a' })
  expect(source).toMatchObject({ value: 5 })
  expect(first.ran).toEqual(['1', '2', '-3', '3', '4', '5'])
  const at = decisionAbout(store, 'a', 'n2', 'grow')
  const second = counting({ goal: 24, by: 10 })
  const fork = await runWorkflow(second.workflow, { store, runId: 'b', fork: { runId: 'a', at } })
  // n3 had been grown and had not ended.
  expect([second.ran, second.asked]).toEqual([
    ['4', '14', '24'],
    ['n3', 'n4', 'n5'],
  ])
  expect(fork).toMatchObject({ runId: 'b', status: 'completed', value: 24 })
  expect(
    Object.values(fork.tree.nodes).map(({ jobId, result, revisions }) => [jobId, result?.value, revisions]),
  ).toEqual([
    ['b.n0', 1, 0],
    ['b.n1', 2, 0],
    ['b.n2.1', 3, 1],
    ['b.n3', 4, 0],
    ['b.n4', 14, 0],
    ['b.n5', 24, 0],
  ])
  expect(store.run('b')).toMatchObject({ forkedFrom: `a@${at}`, status: 'completed', decisions: 7 })
  expect(store.run('a')).toMatchObject({ status: 'completed', value: '5' })
  expect(verifyStore(store)).toBe(store.lastSeq)
  expectFolded(store)
})

test('a fork is taken up again under its id, and is not forked twice', async () => {
  const store = createMemoryStore()
  await runWorkflow(counting().workflow, { store, runId: 'a' })
  const options = { store, runId: 'b', fork: { runId: 'a', at: decisionAbout(store, 'a', 'n1', 'grow') } }
  const once = await runWorkflow(counting({ goal: 7 }).workflow, options)
  const again = counting({ goal: 9 })
  const twice = await runWorkflow(again.workflow, options)
  expect([once.value, twice.value, again.ran]).toEqual([7, 7, []])
})

test('a fork of a whole run undoes what ended it', async () => {
  const store = createMemoryStore()
  await runWorkflow(counting().workflow, { store, runId: 'a' })
  const longer = counting({ goal: 7 })
  const fork = await runWorkflow(longer.workflow, { store, runId: 'b', fork: { runId: 'a' } })
  expect([fork.value, longer.ran, longer.asked]).toEqual([7, ['6', '7'], ['n4', 'n5', 'n6']])
})

test.each(['n0', 'n1', 'n2'])(
  'a fork at any event of the life of %s comes to the same end',
  async (nodeId) => {
    const store = createMemoryStore()
    const source = await runWorkflow(counting().workflow, { store, runId: 'a' })
    const shape = ({ tree, value }: typeof source) => ({
      value,
      nodes: Object.values(tree.nodes).map(({ id, result, decision, revisions }) => [
        id,
        result?.value,
        decision?.type,
        revisions,
      ]),
    })
    const of = [...store.trace({ runId: 'a' })].filter(
      ({ id, event }) => id === `a.${nodeId}` || (event as { readonly nodeId?: string }).nodeId === nodeId,
    )
    for (const { seq: at } of of) {
      const fork = await runWorkflow(counting().workflow, {
        store,
        runId: `f${at}`,
        fork: { runId: 'a', at },
      })
      expect(shape(fork), `at ${at}`).toEqual(shape(source))
    }
    verifyStore(store)
  },
)

test('what a fork can never be is refused by name', async () => {
  const store = createMemoryStore()
  const { workflow } = counting()
  await runWorkflow(workflow, { store, runId: 'a' })
  const forked = (fork: object) => runWorkflow(workflow, { store, runId: 'b', fork: fork as never })
  const code = (expected: string) =>
    expect.objectContaining<Partial<EspalierError>>({ code: expected as never })
  await expect(forked({ runId: 'z' })).rejects.toEqual(code('ESP_UNKNOWN_RUN'))
  await expect(forked({ runId: 'a', at: 9_999 })).rejects.toEqual(code('ESP_INVALID_OPTION'))
  await expect(forked({ runId: 'a', at: 0 })).rejects.toEqual(code('ESP_INVALID_OPTION'))
  await expect(forked({ runId: 'a', until: 3 })).rejects.toEqual(code('ESP_UNKNOWN_OPTION'))
  await expect(runWorkflow(workflow, { fork: { runId: 'a' } })).rejects.toEqual(code('ESP_INVALID_OPTION'))
})

test('a run of another workflow is not forked: nothing is left of the attempt', async () => {
  const store = createMemoryStore()
  await runWorkflow(counting().workflow, { store, runId: 'a' })
  const other = defineWorkflow({ ...counting().workflow, name: 'other' })
  const forked = runWorkflow(other, { store, runId: 'b', fork: { runId: 'a' } })
  await expect(forked).rejects.toMatchObject({
    code: 'ESP_INVALID_OPTION',
    details: { option: 'fork.runId' },
  })
  expect(store.runs().map(({ id }) => id)).toEqual(['a'])
})

test('a fork whose process died before its jobs were submitted is cancelled without them', async () => {
  const store = createMemoryStore()
  const { workflow } = counting()
  await runWorkflow(workflow, { store, runId: 'a' })
  const fork = { runId: 'a', at: decisionAbout(store, 'a', 'n2', 'grow') }
  const dying = new JobPool({ store })
  new Orchestrator(workflow, { pool: dying, runId: 'b', fork })
  await dying.shutdown({ wait: false })
  expect(store.job('b.n3')).toBeUndefined()
  const outcome = await cancelStoredRun({ id: 'b', workflow: 'counting' }, store)
  expect(outcome).toMatchObject({ runId: 'b', status: 'cancelled' })
  expect(store.run('b')).toMatchObject({ status: 'cancelled', reason: 'cancelled' })
  expect(verifyStore(store)).toBe(store.lastSeq)
})

test('a run is forked in a pool that is at work: what is staged there comes after it', async () => {
  const store = createMemoryStore()
  const { workflow } = counting()
  await runWorkflow(workflow, { store, runId: 'a' })
  const pool = new JobPool({ store, handlers: { one: () => 1 } })
  const job = pool.submitJob({ execute: 'one' })
  const fork = new Orchestrator(workflow, { pool, runId: 'b', fork: { runId: 'a' } })
  const other = pool.submitJob({ execute: 'one' })
  await expect(fork.run()).resolves.toMatchObject({ status: 'completed' })
  await expect(Promise.all([job.value(), other.value()])).resolves.toEqual([1, 1])
  await pool.shutdown()
  expect(Array.from(store.trace({ jobId: other.id }), ({ event }) => event.type)[0]).toBe('job.submitted')
  expect(verifyStore(store)).toBe(store.lastSeq)
})
