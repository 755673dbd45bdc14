import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  defineWorkflow,
  EspalierError,
  type ExpandRequest,
  grow,
  JobPool,
  node,
  Orchestrator,
  openSqliteStore,
  runWorkflow,
  satisfy,
  verifyStore,
  type Workflow,
} from 'espalier'
import { afterAll, expect, test } from 'vitest'

const folder = mkdtempSync(join(tmpdir(), 'espalier-told-'))
afterAll(() => rmSync(folder, { recursive: true }))

let files = 0
const newFile = () => join(folder, `${files++}.db`)

function expectVerified(file: string): void {
  const store = openSqliteStore(file, { readOnly: true })
  try {
    expect(verifyStore(store)).toBe(store.lastSeq)
  } finally {
    store.close()
  }
}

async function expectRunVerified(workflow: Workflow): Promise<string> {
  const file = newFile()
  await runWorkflow(workflow, { store: file, runId: 'r' })
  expectVerified(file)
  return file
}

const never = () => new Promise(() => {})

test('an attempt that ignores its signal ends as its journal makes it end again, in a fork as well', async () => {
  const workflow = defineWorkflow({
    name: 'deaf',
    handlers: { deaf: never, one: () => 1 },
    root: () => node({ handler: 'one' }),
    expand: ({ node: { depth } }: ExpandRequest) =>
      depth === 0 ? grow([node({ handler: 'deaf', timeoutMs: 1 })]) : undefined,
  })
  const file = newFile()
  const options = { store: file, killGraceMs: 1 }
  await runWorkflow(workflow, { ...options, runId: 'r' })
  expectVerified(file)
  const { tree } = await runWorkflow(workflow, { ...options, runId: 'f', fork: { runId: 'r' } })
  expectVerified(file)
  expect(tree.nodes.n1?.result?.error?.message).toContain('job "f.n1"')
})

const changed = { list: [] as unknown[] }
const spoil = (value: { list?: unknown[]; self?: unknown }) => {
  value.list?.push(1)
  value.self = value
}

test.each<[string, Parameters<typeof defineWorkflow>[0]['handlers'], unknown]>([
  ['a handler', { work: spoil }, { list: [] }],
  ['whoever made it', { work: () => spoil(changed) }, changed],
])('an input that %s changes stays what it was when its node was grown', async (_, handlers, input) => {
  const workflow = defineWorkflow({
    name: 'spoilt',
    handlers,
    root: () => node({ handler: 'work', input }),
    expand: ({ node: { depth } }: ExpandRequest) =>
      depth < 2 ? grow([node({ handler: 'work', input: { list: [] } })]) : undefined,
  })
  const store = openSqliteStore(await expectRunVerified(workflow), { readOnly: true })
  expect(JSON.parse([...store.nodes('r')][0]?.spec ?? '').input).toEqual({ list: [] })
  store.close()
})

test('what satisfies a run, and what it was given, stays what it was', async () => {
  const answer = { list: [] }
  const input = { list: [] }
  const isAnswered = Promise.withResolvers<unknown>()
  const workflow = defineWorkflow({
    name: 'answered',
    handlers: {
      one: () => 1,
      spoil: async () => {
        await isAnswered.promise
        spoil(answer)
        spoil(input)
      },
    },
    root: () => [node({ handler: 'one' }), node({ handler: 'spoil' })],
    expand: () => satisfy(answer),
  })
  const file = newFile()
  const pool = new JobPool({ store: file })
  const run = new Orchestrator(workflow, { pool, runId: 'r', input })
  run.on('node.decided', isAnswered.resolve)
  await run.run()
  await pool.shutdown()
  expectVerified(file)
  const store = openSqliteStore(file, { readOnly: true })
  expect(store.run('r')).toMatchObject({ value: '{"list":[]}', input: '{"list":[]}' })
  store.close()
})

test('an error stays what it was when it was thrown', async () => {
  const error = new Error('none yet')
  let thrown = 0
  const workflow = defineWorkflow({
    name: 'one error',
    handlers: {
      one: () => 1,
      fail: () => {
        error.message = `the ${++thrown}.`
        throw error
      },
    },
    root: () => node({ handler: 'one' }),
    expand: ({ node: { id } }: ExpandRequest) => {
      if (id === 'n0') return grow([1, 2, 3].map(() => node({ handler: 'fail' })))
      throw error
    },
  })
  const store = openSqliteStore(await expectRunVerified(workflow), { readOnly: true })
  const errors = Array.from(store.jobs('r'), ({ end }) => end?.error && JSON.parse(end.error).message)
  expect(errors.slice(1).toSorted()).toEqual(['the 1.', 'the 2.', 'the 3.'])
  store.close()
})

test('the arguments of a job stay what they were when it was accepted', async () => {
  const file = newFile()
  const handlers = { one: () => 1 }
  const pool = new JobPool({ store: file, handlers })
  const [args, metadata]: { list: unknown[] }[] = [{ list: [] }, { list: [] }]
  const job = pool.submitJob({ execute: 'one', args: [args], metadata, delayMs: 60_000 })
  await pool.submitJob({ execute: 'one', args: ['another'] }).value()
  for (const given of [args, metadata]) given?.list.push(1)
  await pool.shutdown({ wait: false })
  expectVerified(file)
  const store = openSqliteStore(file, { readOnly: true })
  expect(store.job(job.id)?.submitted).toMatchObject({ args: [{ list: [] }], metadata: { list: [] } })
  store.close()
})

const endless = Object.assign(Object.create(null), { message: 'no text' })
endless.self = endless

test.each<[string, () => unknown]>([
  ['has the name of one of espalier’s and nothing else', () => named('EspalierError', 'ESP_UNKNOWN_JOB')],
  ['has a code that is no JSON', () => named('Error', Number.NaN)],
  ['has a cause that is no text', () => new Error('x', { cause: endless })],
  ['has a text that is none', () => Object.assign(new Error('x'), { message: endless })],
  ['is no error, and no text', () => endless],
  [
    'is one of espalier’s under another name',
    () => Object.assign(new EspalierError('ESP_UNKNOWN_JOB', { jobId: 'a' }), { name: 'Mine' }),
  ],
])('an error that %s is told, and read again', async (_, thrown) => {
  const workflow = defineWorkflow({
    name: 'strange',
    handlers: {
      fail: () => {
        throw thrown()
      },
    },
    root: () => node({ handler: 'fail' }),
  })
  const file = await expectRunVerified(workflow)
  const { status, error } = await runWorkflow(workflow, { store: file, runId: 'r' })
  expect([status, error instanceof Error]).toEqual(['failed', true])
})

const named = (name: string, code: unknown) => Object.assign(new Error('x'), { name, code })

const two = () => 2

test('decisions that nobody was asked for are told apart, whichever process made them', async () => {
  const file = newFile()
  const growing = (isAsked: boolean, slow: () => unknown) =>
    defineWorkflow({
      name: 'asked',
      handlers: { one: () => 1, slow },
      root: () => [node({ handler: 'one' }), node({ handler: 'slow' })],
      ...(isAsked && {
        expand: ({ node: { depth } }: ExpandRequest) =>
          depth === 0 ? grow([node({ handler: 'one' })]) : undefined,
      }),
    })
  for (const [runId, isAsked] of [
    ['without', false],
    ['with', true],
  ] as const) {
    const pool = new JobPool({ store: file, killGraceMs: 1 })
    const run = new Orchestrator(growing(isAsked, never), { pool, runId })
    const isDecided = new Promise((resolve) => run.on('node.decided', resolve))
    const left = run.run().catch(({ code }) => code)
    await isDecided
    await pool.shutdown({ wait: false })
    expect(await left).toBe('ESP_POOL_CLOSED')
    await runWorkflow(growing(!isAsked, two), { store: file, runId })
    expectVerified(file)
    await runWorkflow(growing(true, two), { store: file, runId: `${runId}-fork`, fork: { runId } })
    expectVerified(file)
  }
})
