import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { generateRecording } from '../../bench/recordings.ts'
import { exportElsewhere } from '../../src/http/export-thread.ts'
import { createInspector, exportRecording, serveRecording } from '../../src/http/index.ts'
import { JobPool } from '../../src/index.ts'
import { decodeRecording, type ExportFormat } from '../../src/protocol/index.ts'

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
    expect(lines[0]).toMatch(/^job,kind,label,/)
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

test('names that are formulas, markup or control characters stay text in every format', async () => {
  await using pool = new JobPool()
  await using inspector = createInspector(pool, { title: '</script><img onerror=alert(1)>' })
  const name = '=HYPERLINK("https://evil.example";"x")</script><script>alert(1)</script>\n\u0000'
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
    const parts = exportElsewhere(generateRecording({ jobs: 20_000 }), 'events.jsonl')
    const first = await parts.next()
    expect(first.value?.length).toBeGreaterThan(200_000)
    const [worker] = await started
    const ended = once(worker, 'exit')
    await parts.return(undefined)
    await ended
  })
})
