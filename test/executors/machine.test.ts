import {
  type HandlerContext,
  type Job,
  JobPool,
  type JobPoolOptions,
  type JobSpec,
  type MachineBody,
  type PoolStreamEvent,
} from 'espalier'
import { createMemoryStore } from 'espalier/stores/memory'
import { afterEach, describe, expect, test } from 'vitest'
import {
  type AnyActorRef,
  assign,
  fromCallback,
  fromObservable,
  fromPromise,
  sendParent,
  setup,
  waitFor,
} from 'xstate'

const pools: JobPool[] = []
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.shutdown({ wait: false })))
})

function createPool(options: JobPoolOptions = {}): JobPool {
  const pool = new JobPool({ executorType: 'machine', killGraceMs: 50, ...options })
  pools.push(pool)
  return pool
}
const valueWith = (execute: MachineBody, args: readonly unknown[] = []) =>
  createPool().submitJob({ execute, args }).value()

const approval = setup({
  types: {
    input: {} as { what: string },
    context: {} as { what: string; by: string },
    events: {} as { type: 'approve'; by: string } | { type: 'reject'; by: string },
    output: {} as { approved: boolean; by: string },
  },
}).createMachine({
  id: 'approval',
  context: ({ input }) => ({ what: input.what, by: '' }),
  initial: 'waiting',
  states: {
    waiting: {
      on: {
        approve: { target: 'approved', actions: assign({ by: ({ event }) => event.by }) },
        reject: { target: 'rejected', actions: assign({ by: ({ event }) => event.by }) },
      },
    },
    approved: { type: 'final', output: true },
    rejected: { type: 'final', output: false },
  },
  output: ({ context, event }) => ({ approved: event.output as unknown as boolean, by: context.by }),
})
/** Submits a job and waits until it runs: on a busy machine that may take a turn of the event loop. */
async function run(pool: JobPool, spec: JobSpec): Promise<Job> {
  const job = pool.submitJob(spec)
  await waitFor(job, (snapshot) => snapshot.matches('running'))
  return job
}
const isWaiting = (body: AnyActorRef | undefined) =>
  waitFor(body as AnyActorRef, (snapshot) => snapshot.matches('waiting'))

/** Numbers, each in a turn of its own. */
const counting = (upTo: number) => ({
  subscribe(observer: { next?: (value: number) => void; complete?: () => void }) {
    let count = 0
    let timer: NodeJS.Immediate
    const tick = () => {
      if (count === upTo) return observer.complete?.()
      observer.next?.(++count)
      timer = setImmediate(tick)
    }
    timer = setImmediate(tick)
    return { unsubscribe: () => clearImmediate(timer) }
  },
})

describe('the body of a job can be', () => {
  test('a promise: its value is the result', async () => {
    const logic = fromPromise(async ({ input }: { input: number }) => input * 2)
    expect(await valueWith({ logic, input: 21 })).toBe(42)
  })

  test('a machine: its output is the result', async () => {
    const logic = setup({ types: { input: {} as number, context: {} as { n: number } } }).createMachine({
      context: ({ input }) => ({ n: input }),
      initial: 'going',
      states: { going: { after: { 1: 'gone' } }, gone: { type: 'final' } },
      output: ({ context }) => context.n + 1,
    })
    expect(await valueWith({ logic, input: 41 })).toBe(42)
  })

  test('an observable: its last value is the result', async () => {
    expect(await valueWith({ logic: fromObservable(() => counting(5) as never) })).toBe(5)
  })

  test('a callback: it tells its job when it is done', async () => {
    const logic = fromCallback(({ sendBack }) => {
      const timer = setTimeout(() => sendBack({ type: 'job.complete', value: 'done' }), 1)
      return () => clearTimeout(timer)
    })
    expect(await valueWith({ logic })).toBe('done')
  })
})

describe('a failure of the body', () => {
  test.each<[string, MachineBody['logic']]>([
    ['a promise that rejects', fromPromise(async () => Promise.reject(new Error('broken')))],
    [
      'a machine whose action throws',
      setup({}).createMachine({
        initial: 'a',
        states: {
          a: { after: { 1: 'b' } },
          b: {
            entry: () => {
              throw new Error('broken')
            },
          },
        },
      }),
    ],
    [
      'a machine that throws at its start',
      setup({}).createMachine({
        context: () => {
          throw new Error('broken')
        },
      }),
    ],
    [
      'a callback that tells of it',
      fromCallback(({ sendBack }) => sendBack({ type: 'job.fail', error: new Error('broken') })),
    ],
    [
      'an observable that fails',
      fromObservable(
        () =>
          ({
            subscribe: (observer: { error?: (error: unknown) => void }) => {
              observer.error?.(new Error('broken'))
              return { unsubscribe() {} }
            },
          }) as never,
      ),
    ],
  ])('is one of the attempt, and of nothing else: %s', async (_, logic) => {
    const pool = createPool({ maxRetries: 1, backoff: { type: 'fixed', delayMs: 0 } })
    const { status, reason, error, attempts } = await pool.submitJob({ execute: { logic } }).result()
    expect({ status, reason, attempts }).toEqual({ status: 'failed', reason: 'error', attempts: 2 })
    expect(error?.message).toBe('broken')
    expect(pool.actor.getSnapshot().status).toBe('active')
    expect(await pool.submitJob({ execute: { logic: fromPromise(async () => 1) } }).value()).toBe(1)
  })

  test('is one of its input, too', async () => {
    const input = () => {
      throw new Error('no input')
    }
    const { error } = await createPool()
      .submitJob({ execute: { logic: fromPromise(async () => 1), input } })
      .result()
    expect(error?.message).toBe('no input')
  })
})

describe('the input', () => {
  const echo = fromPromise(async ({ input }: { input: unknown }) => input)

  test("is the job's first argument, unless the body has one", async () => {
    expect(await valueWith({ logic: echo }, ['given', 'more'])).toBe('given')
    expect(await valueWith({ logic: echo, input: 'own' }, ['given'])).toBe('own')
    expect(await valueWith({ logic: echo })).toBeUndefined()
  })

  test('is made by a function, called as a handler is', async () => {
    const pool = createPool()
    const parent = pool.submitJob({ id: 'parent', execute: { logic: echo, input: 7 } })
    const input = (factor: number, { jobId, attempt, parentResults }: HandlerContext) => ({
      jobId,
      attempt,
      product: factor * (parentResults.parent as number),
    })
    const child = pool.submitJob({
      id: 'child',
      execute: { logic: echo, input },
      args: [6],
      dependencies: [parent],
    })
    expect(await child.value()).toEqual({ jobId: 'child', attempt: 1, product: 42 })
  })
})

describe('a job that waits for a person', () => {
  test('goes on with the event that is sent to the job', async () => {
    const pool = createPool()
    const job = await run(pool, { id: 'deploy', execute: { logic: approval, input: { what: 'deploy' } } })
    await isWaiting(job.body)
    expect(job.body?.getSnapshot().context).toEqual({ what: 'deploy', by: '' })
    pool.job('deploy')?.send({ type: 'approve', by: 'ada' })
    expect(await job.value()).toEqual({ approved: true, by: 'ada' })
    expect(job.body).toBeUndefined()
  })

  test('or to its body', async () => {
    const job = await run(createPool(), { execute: { logic: approval, input: { what: 'deploy' } } })
    await isWaiting(job.body)
    job.body?.send({ type: 'reject', by: 'bob' })
    expect(await job.value()).toEqual({ approved: false, by: 'bob' })
  })

  test('is not moved by an event that its job itself knows: that one is the job’s', async () => {
    const seen: string[] = []
    const logic = fromCallback(({ receive }) => receive(({ type }) => void seen.push(type)))
    const job = await run(createPool(), { execute: { logic } })
    job.send({ type: 'hello' })
    job.send({ type: 'dependencies.met', at: 1 })
    job.send({ type: 'deadline.reached', at: 1 })
    await new Promise((resolve) => setImmediate(resolve))
    expect(seen).toEqual(['hello'])
    expect(job.status).toBe('running')
  })

  test('that has no body yet, or none any more, ignores such events, and tells so', async () => {
    const pool = createPool({ maxParallelJobs: 1 })
    const ignored: PoolStreamEvent[] = []
    pool.on('job.ignored', (event) => ignored.push(event))
    const first = await run(pool, { execute: { logic: approval, input: { what: 'a' } } })
    const second = pool.submitJob({ id: 'second', execute: { logic: approval, input: { what: 'b' } } })
    expect(second.body).toBeUndefined()
    second.send({ type: 'approve', by: 'early' })
    first.send({ type: 'approve', by: 'ada' })
    await first.result()
    expect(ignored).toMatchObject([{ jobId: 'second', event: 'approve', status: 'queued' }])
    await waitFor(second, (snapshot) => snapshot.matches('running'))
  })

  test('of another executor ignores them', async () => {
    const pool = createPool()
    const ignored: PoolStreamEvent[] = []
    pool.on('job.ignored', (event) => ignored.push(event))
    const job = await run(pool, { executor: 'async', execute: () => new Promise(() => {}) })
    job.send({ type: 'approve' })
    expect(ignored).toMatchObject([{ event: 'approve', status: 'running' }])
    expect(job.body).toBeUndefined()
  })
})

describe('a body that is to end', () => {
  test('is stopped, and lets go of what it holds', async () => {
    let isReleased = false
    const logic = fromCallback(() => () => {
      isReleased = true
    })
    const pool = createPool()
    const job = await run(pool, { execute: { logic } })
    const { body } = job
    job.cancel('enough')
    expect(await job.result()).toMatchObject({ status: 'cancelled', reason: 'enough' })
    expect(isReleased).toBe(true)
    expect(body?.getSnapshot().status).toBe('stopped')
    expect(pool.getStatus()).toMatchObject({ running: 0, zombies: 0 })
  })

  test('is told by its signal, if it is a promise; its late value changes nothing', async () => {
    let signal: AbortSignal | undefined
    let finish: (value: number) => void = () => {}
    const logic = fromPromise((given) => {
      signal = given.signal
      return new Promise<number>((resolve) => {
        finish = resolve
      })
    })
    const job = createPool({ timeoutMs: 20 }).submitJob({ execute: { logic } })
    expect(await job.result()).toMatchObject({ status: 'failed', reason: 'timeout' })
    expect(signal?.aborted).toBe(true)
    finish(1)
    await new Promise((resolve) => setImmediate(resolve))
    expect(job.status).toBe('failed')
  })

  test('is stopped by a shutdown', async () => {
    const pool = createPool()
    const job = await run(pool, { execute: { logic: approval, input: { what: 'x' } } })
    const { body } = job
    await pool.shutdown({ wait: false })
    expect((await job.result()).status).toBe('cancelled')
    expect(body?.getSnapshot().status).toBe('stopped')
  })
})

describe('a body', () => {
  test('reports progress and log lines to its job', async () => {
    const pool = createPool()
    const said: unknown[] = []
    pool.on('job.progress', ({ fraction, note }) => said.push([fraction, note]))
    pool.on('job.log', ({ line }) => said.push(line))
    const logic = setup({}).createMachine({
      entry: [
        sendParent({ type: 'job.progress', fraction: 0.5, note: 'half' }),
        sendParent({ type: 'job.log', line: 'hello' }),
      ],
      initial: 'a',
      states: { a: { after: { 1: 'b' } }, b: { type: 'final' } },
    })
    await pool.submitJob({ execute: { logic } }).result()
    expect(said).toEqual([[0.5, 'half'], 'hello'])
  })

  test('may report progress with a note that is no text', async () => {
    const pool = createPool()
    const notes: unknown[] = []
    pool.on('job.progress', ({ note }) => notes.push(note))
    const logic = fromCallback(({ sendBack }) => {
      const timer = setTimeout(() => {
        for (const note of [5, Object.create(null)]) sendBack({ type: 'job.progress', fraction: 0.5, note })
        sendBack({ type: 'job.complete', value: 'done' })
      }, 1)
      return () => clearTimeout(timer)
    })
    expect(await pool.submitJob({ execute: { logic } }).value()).toBe('done')
    expect(notes).toEqual(['5', '{}'])
  })

  test('may log what is no text', async () => {
    const pool = createPool()
    const lines: string[] = []
    pool.on('job.log', ({ line }) => lines.push(line))
    const logic = fromCallback(({ sendBack }) => {
      const timer = setTimeout(() => {
        for (const line of [5, Symbol('line'), Object.create(null)]) sendBack({ type: 'job.log', line })
        sendBack({ type: 'job.complete', value: 'done' })
      }, 1)
      return () => clearTimeout(timer)
    })
    expect(await pool.submitJob({ execute: { logic } }).value()).toBe('done')
    expect(lines).toEqual(['5', 'Symbol(line)', '{}'])
  })

  test('is seen by inspection, below its attempt and its job', async () => {
    const parents = new Map<string, string | undefined>()
    const events: string[] = []
    const pool = createPool({
      inspect: (event) => {
        const { actorRef } = event as unknown as { actorRef: AnyActorRef & { _parent?: AnyActorRef } }
        if (event.type === '@xstate.actor') parents.set(actorRef.id, actorRef._parent?.id)
        if (event.type === '@xstate.event' && actorRef.id === 'body') events.push(event.event.type)
      },
    })
    const job = await run(pool, { id: 'watched', execute: { logic: approval, input: { what: 'x' } } })
    job.send({ type: 'approve', by: 'ada' })
    await job.result()
    expect(Object.fromEntries(parents)).toMatchObject({
      body: 'attempt 1',
      'attempt 1': 'watched',
      watched: 'pool',
    })
    expect(events).toEqual(['xstate.init', 'approve'])
  })

  test('is not kept by the pool’s actor, nor by the job’s', async () => {
    const pool = createPool()
    const job = await run(pool, { execute: { logic: approval, input: { what: 'x' } } })
    expect(pool.actor.getSnapshot().children).toEqual({})
    expect(job.getSnapshot().children).toEqual({})
  })

  test('may be a handler of a workflow', async () => {
    const { defineWorkflow, node, Orchestrator } = await import('espalier')
    const workflow = defineWorkflow({
      name: 'release',
      handlers: { approve: { logic: approval } },
      root: () => node({ handler: 'approve', input: { what: 'release' }, executor: 'machine' }),
    })
    const pool = createPool()
    const run = new Orchestrator(workflow, { pool })
    const outcome = run.run()
    const started = new Promise<string>((resolve) => pool.on('job.started', ({ jobId }) => resolve(jobId)))
    pool.job(await started)?.send({ type: 'approve', by: 'ada' })
    expect((await outcome).tree.nodes.n0?.result?.value).toEqual({ approved: true, by: 'ada' })
  })
})

test.each([
  ['a function', () => 1],
  ['a logic without its braces', approval],
  ['no logic', { logic: {} }],
])('a job is refused that is %s', (_, execute) => {
  expect(() => createPool().submitJob({ execute: execute as never })).toThrow(
    /ESP_MISSING_HANDLER.*\{ logic, input\? \}/,
  )
})

test('a field of a body that nobody reads is refused', () => {
  const execute = { logic: approval, inputs: 1 }
  expect(() => createPool().submitJob({ execute })).toThrow(
    /ESP_MISSING_HANDLER.*\{ logic, input\? \}.*, without `inputs`/,
  )
})

test('10,000 bodies leave nothing behind', async () => {
  const pool = createPool({ maxParallelJobs: 100 })
  const logic = fromPromise(async ({ input }: { input: number }) => input)
  const jobs = Array.from({ length: 10_000 }, (_, index) =>
    pool.submitJob({ execute: { logic, input: index } }),
  )
  const values = await Promise.all(jobs.map((job) => job.value()))
  expect(values.at(-1)).toBe(9_999)
  expect(pool.getStatus()).toMatchObject({ running: 0, zombies: 0, completed: 10_000 })
})

test('an event for the body of a stored job reaches it at once, though nothing is committed for it', async () => {
  const pool = createPool({
    store: createMemoryStore(),
    handlers: { approve: { logic: approval, input: { what: 'a release' } } },
  })
  const job = await run(pool, { execute: 'approve' })
  job.send({ type: 'approve', by: 'Ada' })
  expect(await job.value()).toEqual({ approved: true, by: 'Ada' })
})
