import { once } from 'node:events'
import { get } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import type { Worker } from 'node:worker_threads'
import { gunzipSync } from 'node:zlib'
import fastify from 'fastify'
import { describe, expect, onTestFinished, test } from 'vitest'
import { generateRecording } from '../../../bench/recordings.ts'
import { Downloads } from '../../../src/http/exports/downloads.ts'
import { exportElsewhere } from '../../../src/http/exports/export-thread.ts'
import { createInspector, exportRecording, serveRecording } from '../../../src/http/index.ts'
import { JobPool } from '../../../src/index.ts'
import { decodeRecording, type ExportFormat } from '../../../src/protocol/index.ts'
import { ToldRun } from '../../inspector/told-run.ts'

const recording = generateRecording({ jobs: 300 })
const write = (format: ExportFormat, bytes: Uint8Array = recording) =>
  [...exportRecording(bytes, format).parts].join('')

describe('a recording', () => {
  test('opens in Perfetto: a bar in its slot for each attempt', () => {
    const { traceEvents } = JSON.parse(write('trace.json')) as {
      traceEvents: { ph: string; tid?: number; ts?: number; dur?: number; args?: { waitedMs?: number } }[]
    }
    const bars = traceEvents.filter(({ ph }) => ph === 'X')
    expect(bars.length).toBeGreaterThanOrEqual(300)
    for (const { ts = -1, dur = -1, tid = -1, args } of bars) {
      expect(Math.min(ts, dur, tid, args?.waitedMs ?? -1)).toBeGreaterThanOrEqual(0)
    }
  })

  test('is a table of jobs, and a line of JSON for each event', () => {
    const lines = write('jobs.csv').trimEnd().split('\r\n')
    expect(lines).toHaveLength(301)
    expect(lines[0]).toMatch(/^job,kind,label,.*,ran_ms,cpu_ms,peak_memory_bytes,error$/)
    expect(lines[1]).toMatch(/^run\.n0,load,load,n0,run,completed,high,/)
    const events = write('events.jsonl')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(events[0]).toEqual({
      at: '2026-01-01T00:00:00.000Z',
      event: 'run.started',
      run: 'run',
      state: 'running.growing',
    })
    expect(events.at(-1)).toMatchObject({ event: 'run.ended', reason: 'exhausted' })
  })

  test('is drawn by Mermaid, and says of how many nodes', () => {
    const small = write('tree.mmd')
    expect(small).toContain('%% 300 of 300 nodes')
    expect(small.match(/ --> /g)).toHaveLength(296)
    expect(write('tree.mmd', generateRecording({ jobs: 800 }))).toContain('%% 500 of 800 nodes')
  })

  test('is in its report as it is', () => {
    const html = write('report.html')
    const [, payload = ''] =
      /<script type="application\/octet-stream" id="payload">([\w+/=]+)<\/script>/.exec(html) ?? []
    expect(gunzipSync(Buffer.from(payload, 'base64'))).toEqual(Buffer.from(recording))
    expect(html).toContain('Content-Security-Policy')
    expect(html).not.toMatch(/(?:src|href)="https?:/)
  })
})

describe('a job that is tried again', () => {
  const told = new ToldRun()
  const [done, resting] = [told.job('done'), told.job('resting')]
  const start = (at: number, job: number) =>
    told
      .step(at, 'slot.granted', job, 'running.executing')
      .step(at, 'attempt.started', job, 'running.executing', job)
  for (const job of [done, resting])
    told.step(0, 'job.submitted', job, 'queued.blocked').step(0, 'dependencies.met', job, 'queued.ready')
  for (const job of [done, resting]) start(10, job)
  for (const job of [done, resting]) told.failed(15, job, 1, `first of ${job}`, 'queued.ready')
  for (const job of [done, resting]) start(40, job)
  told.failed(50, done, 2, 'second', 'queued.ready').failed(50, resting, 2, 'last', 'queued.ready')
  const bytes = start(70, done).step(80, 'attempt.completed', done, 'completed').recording()

  test('has the error of each attempt with that attempt, and none with the one that completed', () => {
    const { traceEvents } = JSON.parse(write('trace.json', bytes)) as {
      traceEvents: { ph: string; args: { job: string; attempt: number; error?: string } }[]
    }
    const bars = traceEvents.filter(({ ph }) => ph === 'X')
    expect(bars.map(({ args: { job, attempt, error } }) => [job, attempt, error])).toEqual([
      ['done', 1, 'first of 0'],
      ['resting', 1, 'first of 1'],
      ['done', 2, 'second'],
      ['resting', 2, 'last'],
      ['done', 3, undefined],
    ])
  })

  test('has in the table what its last attempt waited, ran and threw', () => {
    const [head = [], ...rows] = write('jobs.csv', bytes)
      .trimEnd()
      .split('\r\n')
      .map((line) => line.split(','))
    const told = (row: string[] = []) =>
      ['job', 'attempts', 'waited_ms', 'ran_ms', 'error'].map((name) => row[head.indexOf(name)])
    expect(rows.map(told)).toEqual([
      ['done', '3', '20', '10', ''],
      ['resting', '2', '25', '10', 'last'],
    ])
  })
})

test('an attempt that was abandoned is in its slot as a zombie until it ends, unless its slot is free all the same', () => {
  const told = new ToldRun()
  const [deaf, deafer, released] = [told.job('deaf'), told.job('deafer'), told.job('released')]
  for (const [slot, job] of [deaf, deafer, released].entries())
    told
      .step(0, 'job.submitted', job, 'queued.ready')
      .step(0, 'attempt.started', job, 'running.executing', slot)
      .step(20, 'attempt.abandoned', job, 'running.stopping', Number(job === released))
      .step(20, 'deadline.reached', job, 'failed')
  told.step(50, 'attempt.ended', released, 'failed').step(60, 'attempt.ended', deaf, 'failed')
  const { traceEvents } = JSON.parse(write('trace.json', told.sample(90, 1).recording())) as {
    traceEvents: { cat?: string; tid: number; ts: number; dur: number; name: string; args: { job: string } }[]
  }
  const zombies = traceEvents.filter(({ cat }) => cat === 'zombie')
  expect(zombies.map(({ tid, ts, dur, args }) => [args.job, tid, ts, dur])).toEqual([
    ['deaf', 0, 20_000, 40_000],
    ['deafer', 1, 20_000, 40_000],
  ])
})

test('no control character and no change of direction comes into a table or a picture', () => {
  const name = '\u001b[31mred\u001b[0m \u202egnp.exe\u0007\u009b\nnext'
  const told = new ToldRun()
  told.node(name)
  told.attempt(told.job(name), 0, 0, 10)
  told.attempt(told.job('\u001b[1m=1+1'), 0, 20, 30)
  const bytes = told.recording()
  const plain = 'red \ufffdgnp.exe\u2407\ufffd'
  expect(write('jobs.csv', bytes)).toContain(`"${plain}\nnext",load`)
  expect(write('jobs.csv', bytes)).toContain(`\r\n'=1+1,load`)
  expect(write('tree.mmd', bytes)).toContain(`0["○ ${plain} next"]`)
})

test('a label that looks like a character reference is drawn by Mermaid as it is written', () => {
  const told = new ToldRun()
  told.node('a &lt b &amp; c')
  expect(write('tree.mmd', told.recording())).toContain('0["○ a #38;lt b #38;amp#59; c"]')
})

test('names that are formulas, markup or control characters stay text in every format', async () => {
  await using pool = new JobPool()
  await using inspector = createInspector(pool, { title: '</script><img onerror=alert(1)>' })
  const name = '=HYPERLINK("https://evil.example";"x")</script><script>alert(1)</script>\n\u0001'
  const hostile = { [name]: () => 1 }[name] as () => number
  await pool.submitJob({ id: name, execute: hostile }).result()
  const bytes = await inspector.recording()
  expect(write('jobs.csv', bytes)).toContain(`"'=HYPERLINK(""https`)
  expect(write('report.html', bytes)).not.toContain('alert(1)')
  expect(() => JSON.parse(write('trace.json', bytes))).not.toThrow()
  expect(exportRecording(bytes, 'jobs.csv').fileName).toMatch(/^[\w.-]+$/)
  expect(decodeRecording(bytes).header.title).toContain('</script>')
})

describe('over HTTP', () => {
  /** Longer than what lies between a server and a reader that takes nothing. */
  const large = generateRecording({ jobs: 20_000 })

  test.each(['trace.json', 'jobs.csv', 'events.jsonl', 'tree.mmd'] as const)(
    '%s is what the recording is in this format',
    async (format) => {
      await using server = serveRecording(generateRecording({ jobs: 2_000 }))
      const { origin } = new URL(await server.listen())
      const answer = await fetch(`${origin}/api/export/${format}`, {
        headers: { authorization: `Bearer ${server.token}` },
      })
      expect(answer.headers.get('content-disposition')).toBe(`attachment; filename="generated.${format}"`)
      expect(await answer.text()).toBe(write(format, generateRecording({ jobs: 2_000 })))
    },
  )

  test('a page that goes away in the middle leaves no thread behind', async () => {
    const started = once(process, 'worker') as Promise<[Worker]>
    const parts = exportElsewhere(large, 'events.jsonl')
    const first = await parts.next()
    expect(first.value?.length).toBeGreaterThan(200_000)
    const [worker] = await started
    const ended = once(worker, 'exit')
    await parts.return(undefined)
    await ended
  })

  test('two are written at once, others wait for their turn, and one who goes away while it waits costs nothing', async () => {
    const running = { now: 0, most: 0, ever: 0 }
    const onWorker = (worker: Worker) => {
      running.most = Math.max(running.most, ++running.now)
      running.ever++
      worker.once('exit', () => running.now--)
    }
    process.on('worker', onWorker)
    onTestFinished(() => void process.off('worker', onWorker))
    await using server = serveRecording(large)
    const address = `${new URL(await server.listen()).origin}/api/export/events.jsonl`
    const headers = { authorization: `Bearer ${server.token}` }
    // Both hold their turn for as long as nobody reads what they send.
    const holders = await Promise.all([fetch(address, { headers }), fetch(address, { headers })])
    const impatient = Array.from({ length: 3 }, () => get(address, { headers }).on('error', () => {}))
    const patient = fetch(address, { headers })
    await Promise.all(impatient.map((sent) => once(sent, 'finish')))
    for (const sent of impatient) {
      await new Promise((closed) => sent.once('close', closed).destroy())
    }
    const texts = await Promise.all([...holders, patient].map(async (answer) => (await answer).text()))
    expect(new Set(texts).size).toBe(1)
    expect(texts[0]?.length).toBeGreaterThan(1_000_000)
    expect(running).toMatchObject({ most: 2, ever: 3 })
  })

  test('one who takes nothing is cut off, and the next gets its turn', async () => {
    const downloads = new Downloads(100)
    await using app = fastify()
    app.get('/:format', (request, reply) => downloads.sendExport(request, reply, () => large))
    await app.listen()
    const { port } = app.server.address() as AddressInfo
    for (let each = 0; each < 2; each++)
      connect(port).pause().write('GET /events.jsonl HTTP/1.1\r\nHost: x\r\n\r\n')
    const text = await (await fetch(`http://localhost:${port}/tree.mmd`)).text()
    expect(text).toContain('of 20000 nodes')
  })
})
