import { createInspector } from 'espalier/http'
import { describe, expect, test, vi } from 'vitest'
import { createMachine, fromPromise, setup } from 'xstate'
import { BodyCharts } from '../../../src/http/feed/body-charts.ts'
import { JobPool } from '../../../src/index.ts'
import { decodeBlock, decodeRecording, type MachineDocument, RunModel } from '../../../src/protocol/index.ts'

const lamp = setup({ types: { events: {} as { type: 'toggle' } | { type: 'break' } } }).createMachine({
  id: 'lamp',
  initial: 'off',
  states: {
    off: { on: { toggle: 'on' } },
    on: { on: { toggle: 'off', break: 'broken' } },
    broken: { type: 'final' },
  },
})

async function recorded(inspector: { recording(): Promise<Uint8Array> }) {
  const model = new RunModel()
  for (const block of decodeRecording(await inspector.recording()).blocks) model.apply(decodeBlock(block))
  const { bodies, documents } = model.tables
  const rows = Array.from({ length: bodies.at.length }, (_, row) => ({
    job: bodies.job.get(row),
    attempt: bodies.attempt.get(row),
    machine: model.text(bodies.machine.get(row)),
    active: model.text(bodies.active.get(row)),
  }))
  const machines = new Map<string, MachineDocument>()
  for (let row = 0; row < documents.name.length; row++) {
    const [kind, hash = ''] = model.text(documents.name.get(row)).split('/')
    if (kind === 'machine')
      machines.set(hash, JSON.parse(model.text(documents.text.get(row))) as MachineDocument)
  }
  return { model, rows, machines }
}

const activeOf = (rows: readonly { readonly active: string }[]) =>
  rows.map(({ active }) => (active === '' ? undefined : (JSON.parse(active) as string[]).at(-1)))

describe('a recording of jobs that are machines', () => {
  test('has each machine once, laid out, and every state that a job was in', async () => {
    await using pool = new JobPool()
    await using inspector = createInspector(pool)
    const jobs = ['a', 'b'].map((id) =>
      pool.submitJob({ id, executor: 'machine', execute: { logic: lamp.provide({}) } }),
    )
    // A busy machine may put their start off to the next turn, and a job that waits takes no event.
    await vi.waitFor(() => expect(jobs.every(({ body }) => body !== undefined)).toBe(true))
    for (const job of jobs) job.send({ type: 'toggle' })
    jobs[0]!.send({ type: 'break' })
    await jobs[0]!.result()
    const { model, rows, machines } = await recorded(inspector)
    jobs[1]!.cancel()
    expect(machines.size).toBe(1)
    const [[hash, chart]] = [...machines] as [[string, MachineDocument]]
    expect(chart).toMatchObject({ id: 'lamp', hash })
    expect(new Set(rows.map(({ machine }) => machine))).toEqual(new Set([hash]))
    expect(activeOf(rows.filter(({ job }) => job === 0))).toEqual(['lamp.off', 'lamp.on', 'lamp.broken'])
    expect(activeOf(rows.filter(({ job }) => job === 1))).toEqual(['lamp.off', 'lamp.on'])
    expect(model.text(model.tables.jobs.kind.get(0))).toBe('lamp')
  })

  test('that begins while they run has where they are, and what follows', async () => {
    await using pool = new JobPool()
    const job = pool.submitJob({ executor: 'machine', execute: { logic: lamp } })
    job.send({ type: 'toggle' })
    await using inspector = createInspector(pool)
    job.send({ type: 'break' })
    await job.result()
    const { rows, machines } = await recorded(inspector)
    expect(activeOf(rows)).toEqual(['lamp.on', 'lamp.broken'])
    expect(machines.size).toBe(1)
  })

  test('knows the machine of one that ended before it could be looked at, and no machine in a promise', async () => {
    await using pool = new JobPool()
    await using inspector = createInspector(pool)
    const atOnce = createMachine({ id: 'at-once', initial: 'end', states: { end: { type: 'final' } } })
    await pool.submitJob({ executor: 'machine', execute: { logic: atOnce } }).result()
    await pool.submitJob({ executor: 'machine', execute: { logic: fromPromise(async () => 1) } }).result()
    const { rows, machines } = await recorded(inspector)
    expect([...machines.values()].map(({ id }) => id)).toEqual(['at-once'])
    expect(rows.map(({ job, active }) => [job, active])).toEqual([
      [0, ''],
      [1, ''],
    ])
    expect(rows[1]!.machine).toBe('')
  })

  test('says after 1,000 states of an attempt that there were more', async () => {
    await using pool = new JobPool()
    await using inspector = createInspector(pool)
    const job = pool.submitJob({ executor: 'machine', execute: { logic: lamp } })
    for (let flip = 0; flip < 1_500; flip++) job.send({ type: 'toggle' })
    const { rows } = await recorded(inspector)
    job.cancel()
    expect(rows).toHaveLength(1_001)
    expect(rows.filter(({ active }) => active === '')).toHaveLength(1)
    expect(rows.at(-1)!.active).toBe('')
  })

  test('says of a machine that is too large, or one too many, why it is not there', async () => {
    const charts = new BodyCharts(async (id) => ({ id, hash: '', down: EMPTY, right: EMPTY }))
    const states = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`s${index}`, {}]))
    const large = charts.meet(createMachine({ id: 'large', initial: 's0', states: states(400) }))
    expect(await charts.document(large)).toEqual({
      id: 'large',
      missing: 'chart of 402 states; at most 300 are drawn',
    })
    for (let size = 1; size < 100; size++)
      charts.meet(createMachine({ id: 'small', initial: 's0', states: states(size) }))
    const late = charts.meet(createMachine({ id: 'late', initial: 's0', states: states(200) }))
    expect(await charts.document(late)).toMatchObject({ id: 'late', missing: /first 100/ })
  })
})

const EMPTY = { width: 0, height: 0, nodes: [], edges: [] }
