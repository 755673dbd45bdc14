import assert from 'node:assert/strict'
import { EspalierError } from '../../domain/errors.ts'
import type { Closure, Execute, JobResult, JobSpec } from '../../domain/job.ts'
import type { Executor } from '../../ports/executor.ts'
import type { Host } from '../../ports/host.ts'
import type { PoolStreamEvent } from '../../runtime/events/events.ts'
import { PoolCore } from '../../runtime/pool/job-pool.ts'
import type { JobPoolOptions } from '../../runtime/pool/options.ts'
import { countingEnds } from './counting-ends.ts'
import * as handlers from './executor-handlers.ts'

/** The handlers that the suite runs, by name; `espalier/testing` exports the type for executors with a form of their own. */
export type ContractHandler = keyof typeof handlers

/** What the suite is run with. */
export interface ExecutorContract {
  /** Makes an executor for one test; its pool closes it. */
  readonly create: () => Executor
  /**
   * A job's body that does what the handler of this name does, for executors that run neither closures nor modules;
   * nothing where that cannot be said.
   */
  readonly body?: (handler: ContractHandler) => Execute | undefined
  /** A test runner's `test`. */
  readonly test: (name: string, body: () => Promise<void>) => void
}

/** Beside this file, as a source or compiled. */
const HANDLERS_URL = import.meta.url.replace('executor-contract', 'executor-handlers')
const GRACE_MS = 100
const closures: Readonly<Record<ContractHandler, Closure>> = { ...handlers }

/** Every promise of the {@link Executor} port, as tests; what an executor does not support, it must refuse. */
export function testExecutor({ create, body, test }: ExecutorContract): void {
  const { supports, name: executorName } = create()
  const bodyOf = body ?? bodiesFor(supports)

  /** A test of a handler, unless the executor has no form for it. */
  const testHandler = (
    name: string,
    handler: ContractHandler,
    run: (execute: Execute, lab: Lab) => Promise<void>,
  ): void => {
    const execute = bodyOf(handler)
    if (execute !== undefined) test(name, () => withLab(create, (lab) => run(execute, lab)))
  }

  testHandler('arguments and values travel', 'echo', async (execute, { run }) => {
    const given = [1, 'two', null, [true], { deep: { er: [] } }]
    assert.deepEqual((await run({ execute, args: given })).value, given)
  })

  if (supports.carries === 'clones') {
    testHandler('what structured clone knows travels', 'echo', async (execute, { run }) => {
      const given = [new Map([['a', new Set([1n])]]), new Date(7), /x/g, new Uint8Array([1, 2]), undefined]
      assert.deepEqual((await run({ execute, args: given })).value, given)
    })
    testHandler(
      'an argument that cannot travel is rejected with its path',
      'echo',
      async (execute, { run }) => {
        const result = await run({ execute, args: [{ list: [new URL('file:///a')] }], maxRetries: 3 })
        assert.deepEqual([result.status, result.reason, result.attempts], ['failed', 'rejected', 1])
        assert.match(String(result.error?.message), /ESP_CANNOT_CARRY.*args\[0\]\.list\[0\]/)
      },
    )
    testHandler(
      'a value that cannot travel is rejected with its path',
      'returnFunction',
      async (execute, { run }) => {
        const result = await run({ execute, maxRetries: 3 })
        assert.deepEqual([result.status, result.reason, result.attempts], ['failed', 'rejected', 1])
        assert.match(String(result.error?.message), /ESP_CANNOT_CARRY.*result\.items\[0\]\.next/)
      },
    )
  }

  if (supports.closures !== true) {
    test('a function is refused when it is submitted', () =>
      withLab(create, async ({ pool }) => {
        assert.throws(() => pool.submitJob({ execute: () => {} }), isRefusal('ESP_MISSING_HANDLER'))
      }))
  }
  if (supports.modules === true) {
    test('a module that is not there is rejected', () =>
      withLab(create, async ({ run }) => {
        const module = new URL('./no-such-module.js', HANDLERS_URL).href
        const result = await run({ execute: { module }, maxRetries: 3 })
        assert.deepEqual([result.reason, result.attempts], ['rejected', 1])
        assert.match(String(result.error?.message), /ESP_UNUSABLE_MODULE.*no-such-module/)
      }))
    test('an export that is not there is rejected, and those that are there are named', () =>
      withLab(create, async ({ run }) => {
        const result = await run({ execute: { module: HANDLERS_URL, export: 'ecko' }, maxRetries: 3 })
        assert.deepEqual([result.reason, result.attempts], ['rejected', 1])
        assert.match(String(result.error?.message), /ESP_UNUSABLE_MODULE.*"ecko".*\becho\b/)
      }))
    test('a relative path is refused when it is submitted', () =>
      withLab(create, async ({ pool }) => {
        assert.throws(
          () => pool.submitJob({ execute: { module: './x.ts' } }),
          isRefusal('ESP_MISSING_HANDLER'),
        )
      }))
  }

  testHandler('an error keeps what it has', 'fail', async (execute, { run }) => {
    const { status, reason, error } = await run({ execute })
    assert.deepEqual([status, reason], ['failed', 'error'])
    assert.ok(error instanceof TypeError)
    const { name, message, cause, stack, ...fields } = error as Error & Record<string, unknown>
    assert.deepEqual([name, message], ['TypeError', 'broken'])
    assert.deepEqual({ ...error, ...fields }, { code: 'E_BROKEN', details: { tries: 2 } })
    assert.ok(cause instanceof RangeError)
    assert.equal(cause.message, 'the root')
    assert.match(String(stack), /executor-handlers/)
  })

  testHandler('thrown words become the cause of an error', 'failWithText', async (execute, { run }) => {
    const { error } = await run({ execute })
    assert.ok(error instanceof Error)
    assert.equal(error.cause, 'just words')
  })

  if (supports.context === true) {
    testHandler('the context tells a handler whose it is', 'describeContext', async (execute, { pool }) => {
      const first = pool.submitJob({ id: 'first', execute, nodeId: 'n0', treeId: 't' })
      const second = pool.submitJob({ id: 'second', execute, dependencies: ['first'] })
      const value = {
        jobId: 'first',
        nodeId: 'n0',
        treeId: 't',
        attempt: 1,
        parentResults: {},
        isAborted: false,
      }
      assert.deepEqual(await first.value(), value)
      const next = {
        ...value,
        jobId: 'second',
        nodeId: undefined,
        treeId: undefined,
        parentResults: { n0: value },
      }
      assert.deepEqual(await second.value(), next)
    })
    testHandler(
      'progress and log lines arrive, before the end',
      'speak',
      async (execute, { run, events }) => {
        await run({ execute })
        const said = events.filter(({ type }) => ['job.progress', 'job.log', 'job.completed'].includes(type))
        assert.deepEqual(
          said.map((event) => [event.type, 'note' in event ? event.note : 'line' in event ? event.line : '']),
          [
            ['job.progress', 'half'],
            ['job.log', 'a line'],
            ['job.completed', ''],
          ],
        )
      },
    )
    testHandler(
      'what it tells of itself is cut, and says so',
      'chatter',
      async (execute, { run, events }) => {
        assert.equal((await run({ execute })).status, 'completed')
        const steps = events.filter((event) => event.type === 'job.progress')
        const lines = events.filter((event) => event.type === 'job.log')
        assert.equal(steps.length, 10_001)
        assert.equal(lines.map(({ line }) => line).join('').length, 1_048_576)
        for (const said of [steps, lines])
          assert.deepEqual(
            said.filter(({ truncated }) => truncated),
            said.slice(-1),
          )
      },
    )
    testHandler(
      `what a handler moves is ${supports.transfer === true ? 'moved' : 'left where it is'}`,
      'moveOut',
      async (execute, { run }) => {
        const moved = async () => (await run({ execute })).value as { buffer: ArrayBuffer; left?: number }
        assert.equal((await moved()).buffer.byteLength, 8)
        assert.equal((await moved()).left, supports.transfer === true ? 0 : 8)
      },
    )
    testHandler('a handler hears that it is to end, and why', 'obey', async (execute, { pool, once }) => {
      const waiting = once('job.log')
      const job = pool.submitJob({ execute })
      await waiting
      job.cancel('no longer wanted')
      assert.deepEqual(pick(await job.result()), ['cancelled', 'no longer wanted'])
    })
  }

  if (supports.output === true) {
    testHandler(
      'what it writes arrives, before the end',
      'speak',
      async (execute, { run, outputOf, events }) => {
        await run({ execute })
        assert.equal(outputOf('stdout'), 'to stdout é\n')
        assert.equal(outputOf('stderr'), 'to stderr\n')
        assert.equal(events.findLast(({ type }) => type !== 'pool.closed')?.type, 'job.completed')
      },
    )
    testHandler(
      'what it writes is cut at 1,048,576 characters',
      'babble',
      async (execute, { run, outputOf, events }) => {
        assert.equal((await run({ execute })).status, 'completed')
        assert.equal(outputOf('stdout').length, 1_048_576)
        const cut = events.filter((event) => event.type === 'job.output' && event.truncated)
        assert.equal(cut.length, 1)
      },
    )
  }

  if (supports.forcedStop === true) {
    for (const handler of ['ignore', 'spin'] as const) {
      testHandler(
        `one that does not listen (${handler}) is ended after its grace`,
        handler,
        async (execute, lab) => {
          const job = lab.pool.submitJob({ execute, timeoutMs: 50 })
          assert.deepEqual(pick(await job.result()), ['failed', 'timeout'])
          assert.equal(
            lab.events.some(({ type }) => type === 'job.zombie'),
            false,
          )
          assert.equal(lab.pool.getStatus().zombies, 0)
        },
      )
    }
    testHandler(
      'another attempt follows one that was ended by force',
      'ignore',
      async (execute, { pool }) => {
        const result = await pool.submitJob({ execute, timeoutMs: 50, maxRetries: 1 }).result()
        assert.deepEqual([...pick(result), result.attempts], ['failed', 'timeout', 2])
      },
    )
    testHandler('shutting down ends what does not listen', 'ignore', async (execute, { pool, once }) => {
      const started = once(supports.context === true ? 'job.log' : 'job.started')
      const job = pool.submitJob({ execute })
      await started
      await pool.shutdown({ wait: false })
      assert.deepEqual(pick(await job.result()), ['cancelled', 'shutdown'])
    })
  }

  if (supports.memoryLimit === true) {
    testHandler('one that takes too much memory is ended', 'hoard', async (execute, { run }) => {
      const result = await run({ execute, memoryLimitBytes: 128 * 1024 ** 2 })
      assert.deepEqual(pick(result), ['failed', 'error'])
      assert.match(String(result.error?.message), /ESP_MEMORY_LIMIT/)
    })
  } else {
    testHandler('a memory limit is refused', 'echo', async (execute, { pool }) => {
      assert.throws(() => pool.submitJob({ execute, memoryLimitBytes: 1e9 }), isRefusal('ESP_UNSUPPORTED'))
    })
  }

  if (supports.transfer === true) {
    testHandler('a transferred buffer moves, and is gone here', 'lengthOf', async (execute, { run }) => {
      const buffer = new ArrayBuffer(8)
      const { value } = await run({ execute, args: [buffer], transfer: [buffer] })
      assert.deepEqual([value, buffer.byteLength], [8, 0])
    })
  } else {
    testHandler('a transfer list is refused', 'echo', async (execute, { pool }) => {
      assert.throws(() => pool.submitJob({ execute, transfer: [] }), isRefusal('ESP_UNSUPPORTED'))
    })
  }

  testHandler('what it took is measured, where that is promised', 'work', async (execute, { run }) => {
    const { usage } = await run({ execute })
    if (supports.usage !== true) return assert.equal(usage, undefined)
    const { cpuMs = 0, peakMemoryBytes = 0 } = usage ?? {}
    assert.ok(cpuMs >= 20 && cpuMs < 10_000, `cpuMs is ${cpuMs}`)
    assert.ok(peakMemoryBytes >= 32 * 1024 ** 2, `peakMemoryBytes is ${peakMemoryBytes}`)
  })

  testHandler(
    'each attempt ends exactly once, and frees its slot',
    'echo',
    async (execute, { pool, endings }) => {
      const jobs = Array.from({ length: 20 }, (_, index) => pool.submitJob({ execute, args: [index] }))
      const results = await Promise.all(jobs.map((job) => job.result()))
      assert.ok(
        results.every(({ status }) => status === 'completed'),
        `${executorName} completes all jobs`,
      )
      assert.deepEqual([...endings.values()], new Array(20).fill(1))
      assert.equal(pool.getStatus().running, 0)
    },
  )
}

/** A pool with the executor under test, and what happened in it. */
interface Lab {
  readonly pool: PoolCore
  readonly events: readonly PoolStreamEvent[]
  /** How often the end of each attempt was reported, by job and attempt. */
  readonly endings: ReadonlyMap<string, number>
  run(spec: JobSpec): Promise<JobResult>
  /** Resolves at the next event of this type. */
  once(type: PoolStreamEvent['type']): Promise<void>
  outputOf(stream: 'stdout' | 'stderr'): string
}

async function withLab(create: () => Executor, run: (lab: Lab) => Promise<void>): Promise<void> {
  const endings = new Map<string, number>()
  const options: JobPoolOptions = {
    executorType: countingEnds(create(), endings),
    maxParallelJobs: 2,
    killGraceMs: GRACE_MS,
    pressure: false,
    backoff: { type: 'fixed', delayMs: 0 },
  }
  const pool = new PoolCore(options, {}, NO_HOST)
  const events: PoolStreamEvent[] = []
  pool.on('*', (event) => events.push(event))
  try {
    await run({
      pool,
      events,
      endings,
      run: (spec) => pool.submitJob(spec).result(),
      once: (type) =>
        new Promise((resolve) => {
          const stop = pool.on('*', (event) => {
            if (event.type !== type) return
            stop()
            resolve()
          })
        }),
      outputOf: (stream) =>
        events
          .map((event) => (event.type === 'job.output' && event.stream === stream ? event.chunk : ''))
          .join(''),
    })
  } finally {
    await pool.shutdown({ wait: false })
  }
}

/** Never asked: the pools of the suite have a limit of their own and feel no pressure. */
const NO_HOST: Host = {
  capacity: () => {
    throw new Error('Expected no pool of the suite to ask for the capacity of the machine.')
  },
  watch: () => {
    throw new Error('Expected no pool of the suite to watch the machine.')
  },
}

function bodiesFor(supports: Executor['supports']): (handler: ContractHandler) => Execute | undefined {
  if (supports.closures === true) return (handler) => closures[handler]
  if (supports.modules === true) return (handler) => ({ module: HANDLERS_URL, export: handler })
  return () => undefined
}

const pick = ({ status, reason }: JobResult) => [status, reason]

const isRefusal = (code: string) => (thrown: unknown) =>
  thrown instanceof EspalierError && thrown.code === code
