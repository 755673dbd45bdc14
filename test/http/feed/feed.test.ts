import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { getPriority } from 'node:os'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { PACKING_NICENESS } from '../../../src/http/feed/thread-priority.ts'
import { createInspector } from '../../../src/http/index.ts'
import {
  createMemoryStore,
  defineWorkflow,
  grow,
  JobPool,
  node,
  Orchestrator,
  satisfy,
  stop,
} from '../../../src/index.ts'
import {
  decodeBlock,
  decodeRecording,
  EVENTS,
  JOB_STATES,
  LOG_STREAMS,
  POOL_STATES,
  RunModel,
} from '../../../src/protocol/index.ts'
import { Page, serve } from '../client.ts'

const countOf = (model: RunModel, state: (typeof JOB_STATES)[number]): number =>
  model.jobCounts[JOB_STATES.indexOf(state)] as number

/** Threads of this process that are as nice as the one that packs. */
function threadsLettingOthersGoFirst(): number {
  const threads = readdirSync('/proc/self/task').map(Number)
  return threads.filter((thread) => getPriority(thread) === PACKING_NICENESS).length
}

async function recorded(inspector: { recording(): Promise<Uint8Array> }): Promise<RunModel> {
  const model = new RunModel()
  for (const block of decodeRecording(await inspector.recording()).blocks) model.apply(decodeBlock(block))
  return model
}

describe('a page that looks on', () => {
  test('sees every job reach its end, and each attempt in its slot', async () => {
    await using served = await serve({ maxParallelJobs: 3 })
    using page = new Page(served)
    const { pool } = served
    await page.until(() => page.find('welcome') !== undefined)
    const isEven = async (number: number) => {
      if (number % 2 === 1) throw new Error(`${number} is odd`)
    }
    const jobs = Array.from({ length: 20 }, (_, index) =>
      pool.submitJob({
        execute: isEven,
        args: [index],
        maxRetries: 1,
        backoff: { type: 'fixed', delayMs: 0 },
      }),
    )
    const last = pool.submitJob({
      id: 'last',
      execute: () => 1,
      dependencies: jobs.slice(0, 1),
      priority: 'high',
    })
    await last.result()
    await pool.waitForAll()
    await page.until(() => countOf(page.model, 'completed') === 11 && countOf(page.model, 'failed') === 10)

    const { model } = page
    const { idPrefix = '' } = page.find('welcome')?.recording ?? {}
    expect(jobs.map((_, row) => model.jobId(row, idPrefix))).toEqual(jobs.map(({ id }) => id))
    expect(model.jobId(20, idPrefix)).toBe('last')
    expect(model.text(model.tables.jobs.kind.get(0))).toBe('isEven')
    expect([model.tables.dependencies.job.get(0), model.tables.dependencies.on.get(0)]).toEqual([20, 0])
    const timeline = pool.getTimeline().flatMap(({ attempts }) => attempts)
    expect(model.attempts.job.length).toBe(timeline.length)
    expect(model.text(model.tables.errors.message.get(0))).toBe('1 is odd')
    expect(page.blocks).toEqual(page.blocks.map((_, index) => index))
  })

  test('gets exact counts, and hears of the end', async () => {
    await using served = await serve()
    using page = new Page(served)
    await page.until(() => page.find('welcome') !== undefined)
    served.pool.submitJob({ execute: () => 1 })
    await served.pool.shutdown()
    await page.until(() => page.find('ended') !== undefined)
    const status = page.find('status')
    expect(status?.lifecycle).toBe('closed')
    expect(status?.counts).toEqual(Array.from(page.model.jobCounts))
  })

  test('goes on where it was after its connection was lost', async () => {
    await using served = await serve()
    const before = new Page(served)
    served.pool.submitJob({ execute: () => 1 })
    await before.until(() => countOf(before.model, 'completed') === 1)
    const block = before.blocks.length
    before[Symbol.dispose]()
    await served.pool.submitJob({ execute: () => 2 }).result()

    const recording = before.find('welcome')?.recording.id ?? ''
    using after = new Page(served, { resume: { recording, block } })
    after.model = before.model
    await after.until(() => countOf(after.model, 'completed') === 2)
    expect(after.find('welcome')?.block).toBe(block)
    expect(after.blocks[0]).toBe(block)
  })

  test('begins anew when it comes with the number of another recording', async () => {
    await using served = await serve()
    using page = new Page(served, { resume: { recording: 'another', block: 7 } })
    await page.until(() => page.find('welcome') !== undefined)
    expect(page.find('welcome')?.block).toBe(0)
  })

  test('that takes nothing gets no more than four messages, and all the rest once it does', async () => {
    await using served = await serve()
    using slow = new Page(served)
    using quick = new Page(served)
    slow.isStuck = true
    for (let count = 1; count <= 8; count++) {
      await served.pool.submitJob({ execute: () => 1 }).result()
      await quick.until(() => countOf(quick.model, 'completed') === count)
    }
    await slow.until(() => slow.find('status')?.isSlow === true)
    const held = slow.blocks.length
    expect(held).toBeLessThan(quick.blocks.length)
    slow.isStuck = false
    for (const block of slow.blocks) slow.send({ type: 'ack', block })
    await slow.until(() => slow.blocks.length === quick.blocks.length)
    expect(slow.model.jobCounts).toEqual(quick.model.jobCounts)
  })

  test('that nobody can see is sent nothing, until somebody can', async () => {
    await using served = await serve()
    using hidden = new Page(served)
    using seen = new Page(served)
    await hidden.until(() => hidden.find('welcome') !== undefined)
    hidden.send({ type: 'visible', isVisible: false })
    for (let count = 1; count <= 3; count++) {
      await served.pool.submitJob({ execute: () => 1 }).result()
      await seen.until(() => countOf(seen.model, 'completed') === count)
    }
    expect(hidden.blocks.length).toBeLessThan(seen.blocks.length)
    hidden.send({ type: 'visible', isVisible: true })
    await hidden.until(() => countOf(hidden.model, 'completed') === 3)
  })
})

describe('what a job owes until it is asked for', () => {
  const LIMIT = 3
  const JOBS = 300
  const ENDED = ['completed', 'failed', 'cancelled'] as const

  /** Jobs that go every way, while some are forgotten. */
  async function work(pool: JobPool, inMiddle: () => Promise<unknown>): Promise<void> {
    const noop = async () => {}
    const fail = async () => {
      throw new Error('no')
    }
    for (let round = 0; round < JOBS / 15; round++) {
      const first = pool.submitJob({ execute: noop, score: round })
      pool.submitJob({ execute: noop, dependencies: [first] })
      pool.submitJob({ id: `chosen-${round}`, execute: noop, priority: 'low' })
      pool.submitJob({ execute: noop, nodeId: `n${round}`, treeId: 'a-tree', id: `a-tree.n${round}` })
      pool.submitJob({ execute: noop, nodeId: 'named', treeId: 'a-tree' })
      pool.submitJob({ execute: noop, delayMs: 2 })
      pool.submitJob({ execute: fail, maxRetries: 1, backoff: { type: 'fixed', delayMs: round % 2 } })
      pool.submitJob({ execute: async ({ log }) => log('line') })
      pool.prioritiseJob(pool.submitJob({ execute: noop }).id, 'high')
      pool.submitJob({ execute: noop }).cancel('unwanted')
      for (let each = 0; each < 5; each++) pool.submitJob({ execute: noop })
      if (round % 7 === 3) await inMiddle()
      if (round % 5 === 4) await pool.waitForAll()
    }
    await pool.waitForAll()
  }

  /** What is told of each job, by the order of submission; it is checked that its time goes on, and that no more run than may. */
  function livesIn(model: RunModel): Record<number, string[]> {
    const { events, jobs } = model.tables
    const lives: Record<number, string[]> = {}
    const running = new Set<number>()
    const heard = new Map<number, number>()
    for (let row = 0; row < events.at.length; row++) {
      const event = EVENTS[events.code.get(row)]
      if (event?.subject !== 'job') continue
      const job = events.subject.get(row)
      expect(events.at.get(row)).toBeGreaterThanOrEqual(heard.get(job) ?? 0)
      heard.set(job, events.at.get(row))
      const state = JOB_STATES[events.state.get(row)]
      if (state === 'running.executing') running.add(job)
      else running.delete(job)
      expect(running.size).toBeLessThanOrEqual(LIMIT)
      lives[jobs.sequence.get(job)] = [...(lives[jobs.sequence.get(job)] ?? []), `${event.name} ${state}`]
    }
    return lives
  }

  test.each([
    ['once at the end', { keep: 100_000 }, false],
    ['once at the end, when most are forgotten', { keep: 3 }, false],
    ['again and again', { keep: 3 }, true],
  ])('is told as it is to a page that looks on: %s', async (_, options, isAsked) => {
    const limits = { maxParallelJobs: LIMIT, ...options }
    await using served = await serve(limits)
    using page = new Page(served)
    await page.until(() => page.find('welcome') !== undefined)
    await work(served.pool, async () => {})
    await page.until(() => ENDED.reduce((sum, state) => sum + countOf(page.model, state), 0) === JOBS)

    await using pool = new JobPool(limits)
    await using inspector = createInspector(pool)
    await work(pool, async () => {
      if (isAsked) await inspector.recording()
    })
    const model = await recorded(inspector)
    const lives = livesIn(model)
    expect(lives).toEqual(livesIn(page.model))
    expect(Object.keys(lives)).toHaveLength(JOBS)
    expect(lives[JOBS - 1]).toEqual([
      'job.submitted queued.blocked',
      'dependencies.met queued.ready',
      'slot.granted running.executing',
      'attempt.started running.executing',
      'attempt.completed completed',
    ])
    expect(model.jobCounts).toEqual(page.model.jobCounts)
    const sequences = model.tables.jobs.sequence
    expect(Array.from(sequences.items.subarray(0, sequences.length))).toEqual(
      Array.from({ length: JOBS }, (_, row) => row),
    )
  })

  test.each([
    ['nobody looks', false],
    ['a page looks on', true],
  ])('is told to the end of jobs that take less than a µs, while %s', async (_, isWatched) => {
    await using served = await serve()
    const { pool, inspector } = served
    using page = isWatched ? new Page(served) : undefined
    await page?.until(() => page.find('welcome') !== undefined)
    for (let round = 0; round < 30; round++) {
      for (let each = 0; each < 400; each++) pool.submitJob({ execute: () => each })
      if (round % 5 === 2) await inspector.recording()
      else await new Promise((resolve) => setImmediate(resolve))
    }
    await pool.waitForAll()
    expect(Array.from((await recorded(inspector)).jobCounts)).toEqual([0, 0, 0, 0, 0, 12_000, 0, 0])
  })

  test('is told of jobs that a listener submits in the middle of a batch', async () => {
    await using pool = new JobPool()
    await using inspector = createInspector(pool)
    pool.on('job.submitted', ({ jobId }) => {
      if (jobId === 'heard') pool.submitJob({ execute: () => 1 })
    })
    const spec = { execute: () => 1 }
    pool.submitJobs([spec, { ...spec, id: 'heard' }, spec, spec])
    await pool.waitForAll()
    const model = await recorded(inspector)
    expect(countOf(model, 'completed')).toBe(5)
    expect(Object.keys(livesIn(model))).toHaveLength(5)
  })

  test('has the limit from its beginning', async () => {
    await using pool = new JobPool({ maxParallelJobs: 7 })
    await using inspector = createInspector(pool)
    pool.setMaxParallelJobs(2)
    const { samples } = (await recorded(inspector)).tables
    expect([samples.limit.length, samples.limit.get(0)]).toEqual([1, 7])
  })

  test.each([
    ['all its life', true],
    ['that is over when the recording begins', false],
  ])('leaves a job what it is that ignores its timeout: %s', async (_, isFromBeginning) => {
    await using pool = new JobPool({ timeoutMs: 20, killGraceMs: 5 })
    const early = isFromBeginning ? createInspector(pool) : undefined
    const release = Promise.withResolvers<void>()
    await pool.submitJob({ execute: () => release.promise }).result()
    await using inspector = early ?? createInspector(pool)
    expect(countOf(await recorded(inspector), 'failed')).toBe(1)
    release.resolve()
    await new Promise((resolve) => setImmediate(resolve))
    const model = await recorded(inspector)
    expect(Array.from(model.jobCounts)).toEqual([0, 0, 0, 0, 0, 0, 1, 0])
    const { errors } = model.tables
    expect(model.text(errors.code.get(model.jobs.error.get(0) - 1))).toBe('ESP_ATTEMPT_TIMEOUT')
    expect(livesIn(model)[0]).toEqual(
      expect.arrayContaining(['attempt.abandoned failed', 'attempt.ended failed']),
    )
  })

  test('does not keep a page from hearing of it that comes while all slots are taken', async () => {
    await using served = await serve({ maxParallelJobs: LIMIT })
    const release = Promise.withResolvers<void>()
    for (let each = 0; each < 5; each++) served.pool.submitJob({ execute: () => release.promise })
    await new Promise((resolve) => setTimeout(resolve, 5))
    using page = new Page(served)
    await page.until(() => countOf(page.model, 'running.executing') === LIMIT)
    expect(Array.from({ length: LIMIT }, (_, row) => page.model.attempts.slot.get(row)).sort()).toEqual([
      0, 1, 2,
    ])
    release.resolve()
    await page.until(() => countOf(page.model, 'completed') === 5)
  })
})

describe('a thread that packs the notes', () => {
  test.runIf(process.platform === 'linux')('lets all others go first', async () => {
    const before = threadsLettingOthersGoFirst()
    await using served = await serve()
    using page = new Page(served)
    await page.until(() => page.blocks.length > 0)
    expect(threadsLettingOthersGoFirst()).toBe(before + 1)
  })

  test('and gets to nothing does not let notes pile up: the recording begins anew', async () => {
    const stuck = `import { isMainThread } from 'node:worker_threads'
      if (!isMainThread) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)`
    const program = `import { JobPool } from 'espalier'
      import { createInspector } from 'espalier/http'
      const pool = new JobPool()
      const inspector = createInspector(pool, { historyBytesMax: 100_000 })
      for (let job = 0; job < 10_000; job++) pool.submitJob({ execute: () => {} })
      await pool.waitForAll()
      // There is no answer until the recording begins anew.
      const { length } = await inspector.recording()
      console.log(length < 100_000)
      process.exit()`
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--conditions=espalier-source',
      `--import=data:text/javascript,${encodeURIComponent(stuck)}`,
      '--input-type=module',
      `--eval=${program}`,
    ])
    expect(stdout).toBe('true\n')
  })
})

describe('a recording', () => {
  test('has samples while a job runs that tells nothing, and none once all is at rest', async () => {
    await using served = await serve()
    using page = new Page(served)
    const release = Promise.withResolvers<void>()
    const job = served.pool.submitJob({ execute: () => release.promise })
    const { samples } = page.model.tables
    await page.until(() => samples.at.length >= 3)
    release.resolve()
    await job.result()
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    const { length } = (await recorded(served.inspector)).tables.samples.at
    await new Promise((resolve) => setTimeout(resolve, 2_500))
    expect((await recorded(served.inspector)).tables.samples.at.length).toBe(length)
  })

  test('of a pool that worked before it began has the jobs that are still known, and tells how many are not', async () => {
    await using pool = new JobPool({ keep: 5 })
    const fail = () => {
      throw new Error('no')
    }
    for (let index = 0; index < 8; index++) pool.submitJob({ execute: () => index })
    pool.submitJob({ execute: fail })
    await pool.waitForAll()
    pool.pause()
    const waiting = pool.submitJob({ id: 'waiting', execute: () => 1 })
    pool.submitJob({ execute: () => 1, dependencies: [waiting] })
    await using inspector = createInspector(pool)
    const model = await recorded(inspector)
    expect(Array.from(model.jobCounts)).toEqual([1, 1, 0, 0, 0, 5, 1, 0])
    pool.resume()
    await pool.waitForAll()
    expect(Array.from((await recorded(inspector)).jobCounts)).toEqual([0, 0, 0, 0, 0, 7, 1, 0])
  })

  test('of jobs that had ended before it began has what they waited for, in memory as from a store', async () => {
    const handlers = { one: () => 1 }
    const store = createMemoryStore()
    const linksIn = async (pool: JobPool) => {
      await using inspector = createInspector(pool)
      const model = await recorded(inspector)
      const { dependencies } = model.tables
      return [dependencies.job, dependencies.on].map((rows) =>
        Array.from({ length: rows.length }, (_, row) => model.jobId(rows.get(row), '')),
      )
    }
    for (const options of [{}, { store }]) {
      await using pool = new JobPool({ handlers, ...options })
      pool.submitJobs([
        { id: 'a', execute: 'one' },
        { id: 'b', execute: 'one', dependencies: ['a'] },
      ])
      await pool.waitForAll()
      expect(await linksIn(pool)).toEqual([['b'], ['a']])
    }
    await using pool = new JobPool({ handlers, store })
    for (const id of ['a', 'b']) pool.job(id)
    expect(await linksIn(pool)).toEqual([['b'], ['a']])
  })

  test('that begins while its pool is paused, or drains, says so from then on', async () => {
    await using pool = new JobPool()
    const body = Promise.withResolvers<void>()
    pool.submitJob({ execute: () => body.promise })
    await new Promise((resolve) => setImmediate(resolve))
    pool.pause()
    await using inspector = createInspector(pool)
    const stateOf = async () => POOL_STATES[(await recorded(inspector)).poolState]
    expect(await stateOf()).toEqual(['accepting', 'paused'])
    pool.resume()
    expect(await stateOf()).toEqual(['accepting', 'open'])
    pool.pause()
    const closed = pool.shutdown({ wait: true })
    await using late = createInspector(pool)
    const model = await recorded(late)
    body.resolve()
    await closed
    expect(POOL_STATES[model.poolState]).toEqual(['draining', 'open'])
    const { code } = model.tables.events
    const names = Array.from({ length: code.length }, (_, row) => EVENTS[code.get(row)]?.name)
    expect(names.filter((name) => name?.startsWith('pool.'))).toEqual(['pool.draining'])
  })

  test('that begins while a job waits for its next attempt has it waiting, and then that attempt', async () => {
    await using pool = new JobPool()
    let attempts = 0
    const job = pool.submitJob({
      execute: () => {
        attempts++
        if (attempts === 2) return 1
        pool.pause()
        throw new Error('once')
      },
      maxRetries: 1,
      backoff: { type: 'fixed', delayMs: 0 },
    })
    await new Promise((resolve) => setImmediate(resolve))
    expect([attempts, job.status]).toEqual([1, 'queued'])
    await using inspector = createInspector(pool)
    expect(countOf(await recorded(inspector), 'queued.ready')).toBe(1)
    pool.resume()
    await job.result()
    const model = await recorded(inspector)
    expect([countOf(model, 'completed'), model.attempts.job.length]).toEqual([1, 1])
  })

  test('of a pool that knows thousands of ended jobs has all of them', async () => {
    await using pool = new JobPool({ maxParallelJobs: 100 })
    for (let index = 0; index < 3_000; index++) pool.submitJob({ execute: () => index })
    await pool.waitForAll()
    await using inspector = createInspector(pool)
    expect(countOf(await recorded(inspector), 'completed')).toBe(3_000)
  })

  test('has the tree of a run, with its decisions', async () => {
    await using pool = new JobPool()
    await using inspector = createInspector(pool)
    const workflow = defineWorkflow({
      name: 'small',
      handlers: { work: async (value: number) => value },
      limits: { maxNodes: 4 },
      root: () => node({ handler: 'work', input: 1, label: 'the root' }),
      expand: ({ node: { depth }, result }) => {
        if (depth === 0)
          return grow(
            [2, 3, 4, 5].map((input) => node({ handler: 'work', input })),
            { why: 'try all', score: 0.5 },
          )
        return result.value === 4 ? satisfy('found', 'good enough') : stop('no use')
      },
    })
    const { runId, tree } = await new Orchestrator(workflow, { pool, runId: 'small-run' }).run()
    const model = await recorded(inspector)
    expect(model.text(model.tables.runs.id.get(0))).toBe(runId)
    expect(model.tables.nodes.run.length).toBe(Object.keys(tree.nodes).length)
    expect(model.text(model.tables.nodes.label.get(0))).toBe('the root')
    expect(model.jobId(0, '')).toBe('small-run.n0')
    expect(model.nodes.score.get(0)).toBe(0.5)
    const cut = model.text(model.tables.decisions.cut.get(model.nodes.decision.get(0) - 1))
    expect(JSON.parse(cut)).toEqual([{ by: 'maxNodes', count: 1 }])
    expect(Array.from(model.nodeCounts)).toEqual([0, 0, 4, 0, 0, 0])
    expect(model.runs.reason.get(0)).toBe(1)
  })

  test('has cancellations with their cause, log lines, and what changed nothing', async () => {
    await using pool = new JobPool({ maxParallelJobs: 1 })
    await using inspector = createInspector(pool)
    const first = pool.submitJob({
      execute: async ({ log, signal }) => {
        log('has begun')
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
      },
    })
    pool.submitJob({ execute: () => 1, dependencies: [first] })
    first.send({ type: 'dependencies.met', at: Date.now() })
    first.cancel('enough')
    await pool.waitForAll()
    const { tables, text } = await recorded(inspector).then((model) => ({
      tables: model.tables,
      text: (number: number) => model.text(number),
    }))
    expect(text(tables.logs.line.get(0))).toBe('has begun')
    expect([text(tables.cancels.reason.get(0)), tables.cancels.causedBy.get(1)]).toEqual(['enough', 1])
    expect(tables.cancels.job.length).toBe(2)
  })

  test('has what attempts wrote, and says where lines are left out', async () => {
    await using pool = new JobPool({ executorType: 'command' })
    await using inspector = createInspector(pool)
    const script = 'console.log("one\\ntwo"); console.error("bad"); process.exitCode = 3'
    const many = 'for (let line = 0; line < 1500; line++) console.log(line)'
    for (const code of [script, many])
      pool.submitJob({ execute: { command: process.execPath, args: ['-e', code] } })
    await pool.waitForAll()
    const { tables, strings } = await recorded(inspector)
    const { logs } = tables
    const lines = Array.from({ length: logs.job.length }, (_, row) => ({
      job: logs.job.get(row),
      line: `${LOG_STREAMS[logs.stream.get(row)]} ${strings[logs.line.get(row)]}`,
    }))
    const linesOf = (job: number) => lines.filter((each) => each.job === job).map(({ line }) => line)
    expect(linesOf(0).sort()).toEqual(['stderr bad', 'stdout one', 'stdout two'])
    expect(linesOf(1)).toHaveLength(1_001)
    expect(linesOf(1).at(-1)).toMatch(/further lines are not recorded/)
  })

  test('has what each attempt used', async () => {
    await using pool = new JobPool({ executorType: 'process' })
    await using inspector = createInspector(pool)
    const module = new URL('../../executors/fixtures/faults.ts', import.meta.url).href
    const { usage } = await pool.submitJob({ execute: { module, export: 'noop' } }).result()
    const { usages } = (await recorded(inspector)).tables
    expect([usages.job.length, usages.job.get(0), usages.attempt.get(0)]).toEqual([1, 0, 1])
    expect(usages.cpu.get(0)).toBe(Math.round(1000 * usage!.cpuMs!))
    expect(usages.memory.get(0)).toBe(Math.round(usage!.peakMemoryBytes! / 1024))
  })

  test('that begins while a tree grows has what has grown, and all that follows', async () => {
    await using pool = new JobPool()
    const release = Promise.withResolvers<void>()
    const workflow = defineWorkflow({
      name: 'growing',
      handlers: { work: async (isHeld: boolean) => (isHeld ? release.promise : undefined) },
      root: () => node({ handler: 'work', input: false, label: 'the root' }),
      expand: ({ node: { depth } }) =>
        depth < 2 ? grow([node({ handler: 'work', input: depth === 0 })], 'deeper') : stop(),
    })
    const orchestrator = new Orchestrator(workflow, { pool })
    const ended = orchestrator.run()
    await new Promise<void>((resolve) => orchestrator.on('node.decided', () => resolve()))
    await using inspector = createInspector(pool)
    release.resolve()
    await ended
    const model = await recorded(inspector)
    expect(model.tables.nodes.run.length).toBe(3)
    expect(Array.from(model.nodeCounts)).toEqual([0, 0, 3, 0, 0, 0])
    expect(model.text(model.tables.decisions.why.get(model.nodes.decision.get(0) - 1))).toBe('deeper')
    expect(model.runs.reason.get(0)).toBe(2)
  })

  test('that has grown too large begins anew, with what is alive', async () => {
    await using served = await serve({ maxParallelJobs: 2 }, { historyBytesMax: 2_000 })
    using page = new Page(served)
    await page.until(() => page.find('welcome') !== undefined)
    const first = page.find('welcome')?.recording.id
    for (let index = 0; index < 400; index++) served.pool.submitJob({ execute: () => index })
    await served.pool.waitForAll()
    await page.until(() => page.find('renewed') !== undefined)
    expect(page.find('welcome')?.recording.id).not.toBe(first)
  })
})
