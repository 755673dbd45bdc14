import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createMemoryStore,
  defineWorkflow,
  grow,
  type HandlerContext,
  node,
  openSqliteStore,
  type RunStore,
  runWorkflow,
} from 'espalier'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { durablePool, expectFolded } from './world.ts'

const folder = { path: '' }
beforeEach(() => {
  folder.path = mkdtempSync(join(tmpdir(), 'espalier-'))
})
afterEach(() => rmSync(folder.path, { recursive: true }))

interface Changes {
  readonly name?: string
  readonly version?: string
  readonly input?: unknown
  readonly loaded?: number
  readonly cache?: boolean
}

/** Loads a number, and doubles it in a child that waits for it; returns which handlers ran. */
async function doubled(
  store: RunStore,
  { name = 'doubling', version = '1', input = { a: 1, b: 2 }, loaded = 21, cache = true }: Changes = {},
) {
  const ran: string[] = []
  const workflow = defineWorkflow({
    name,
    handlers: {
      load: () => {
        ran.push('load')
        return { value: loaded }
      },
      double: (_: unknown, { parentResults }: HandlerContext) => {
        ran.push('double')
        return (Object.values(parentResults) as { value: number }[]).reduce(
          (sum, { value }) => sum + value * 2,
          0,
        )
      },
    },
    defaults: { double: { cache, version } },
    root: () => node({ handler: 'load' }),
    expand: ({ node: { handler } }) =>
      handler === 'load' ? grow([node({ handler: 'double', input })]) : undefined,
  })
  const { tree, runId } = await runWorkflow(workflow, { store })
  return { ran, runId, result: tree.nodes.n1?.result }
}

describe.each([
  ['memory', () => createMemoryStore()],
  ['sqlite', () => openSqliteStore(join(folder.path, 'runs.db'))],
])('a node with `cache`, in %s', (_, open) => {
  test('takes the value of one of the same content in another run, and says so', async () => {
    const store = open()
    const first = await doubled(store)
    const second = await doubled(store, { input: { b: 2, a: 1 } })
    expect([first.ran, second.ran]).toEqual([['load', 'double'], ['load']])
    expect(second.result).toMatchObject({
      status: 'completed',
      value: 42,
      attempts: 1,
      usage: { reusedFrom: `${first.runId}.n1` },
    })
    const told = [...store.trace({ jobId: `${second.runId}.n1` })].map(({ event }) => event)
    expect(told.at(-1)).toMatchObject({
      type: 'attempt.completed',
      value: 42,
      usage: { reusedFrom: `${first.runId}.n1` },
    })
    expectFolded(store)
    store.close()
  })

  test.each<[string, Changes]>([
    ['of another input', { input: { a: 1, b: 3 } }],
    ['of another version', { version: '2' }],
    ['of another workflow', { name: 'tripling' }],
    ['whose dependencies had other values', { loaded: 4 }],
    ['when it does not ask for it', { cache: false }],
  ])('takes none %s', async (_, changes) => {
    const store = open()
    await doubled(store)
    expect((await doubled(store, changes)).ran).toEqual(['load', 'double'])
    store.close()
  })
})

describe('a job with `cache`', () => {
  test('takes no value of one that has failed, and takes its own after a retry once it has completed', async () => {
    const store = createMemoryStore()
    let runs = 0
    const handlers = {
      flaky: (by: number) => {
        runs++
        if (runs === 1) throw new Error('not yet')
        return by
      },
    }
    const { pool } = durablePool(store, { handlers })
    const spec = { execute: 'flaky', args: [7], cache: true }
    await expect(pool.submitJob(spec).result()).resolves.toMatchObject({ status: 'failed' })
    await expect(pool.submitJob(spec).value()).resolves.toBe(7)
    await expect(pool.submitJob(spec).value()).resolves.toBe(7)
    expect(runs).toBe(2)
  })

  test('runs where there is no store', async () => {
    let runs = 0
    const { pool } = durablePool(createMemoryStore(), { store: undefined as never })
    const spec = { execute: () => ++runs, cache: true }
    await pool.submitJob(spec).value()
    await pool.submitJob(spec).value()
    expect(runs).toBe(2)
  })
})
