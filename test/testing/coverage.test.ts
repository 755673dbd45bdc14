import { jobMachine, orchestratorMachine, poolMachine } from 'espalier/machines'
import { transitionsOf } from 'espalier/statechart'
import {
  Coverage,
  explore,
  FAULT_TYPES,
  type Fault,
  machinePaths,
  simulate,
  simulateMany,
} from 'espalier/testing'
import { describe, expect, test } from 'vitest'
import { assign, createActor, setup } from 'xstate'
import { type Scenario, scenarios } from '../mutants/scenarios.ts'

/** A door with a counter that its lock looks at. */
const door = setup({
  types: {
    context: {} as { knocks: number },
    events: {} as { type: 'knock'; times: number } | { type: 'open' | 'shut' },
  },
  guards: { isHeard: ({ context }) => context.knocks >= 3 },
}).createMachine({
  id: 'door',
  initial: 'shut',
  context: { knocks: 0 },
  states: {
    shut: {
      on: {
        knock: {
          actions: assign({ knocks: ({ context, event }) => Math.min(3, context.knocks + event.times) }),
        },
        open: { guard: 'isHeard', target: 'open' },
      },
    },
    open: { on: { shut: 'shut' } },
  },
})

describe('machinePaths', () => {
  test('finds a shortest path to each state of a machine', () => {
    const paths = machinePaths(door, { events: { knock: [{ times: 1 }, { times: 2 }] } })
    const toOpen = paths.find(({ value }) => value === 'open')
    expect(toOpen?.description).toBe('knock → knock → open')
    expect(new Set(paths.map(({ value }) => value))).toEqual(new Set(['shut', 'open']))
  })

  test('its paths drive an actor, and coverage tells what they took', () => {
    const coverage = new Coverage()
    for (const path of machinePaths(door, { events: { knock: [{ times: 3 }] } })) {
      const actor = createActor(door, { inspect: coverage.inspect }).start()
      path.run(actor)
      expect(actor.getSnapshot().value).toBe(path.value)
      actor.stop()
    }
    expect(coverage.report([door])[0]?.missed.map(({ id }) => id)).toEqual(['door.open:shut:0'])
    expect(coverage.toMermaid(door)).toMatch(/✗ shut/)
  })

  test('coverage is painted on the chart as a picture, with how often each transition was taken', async () => {
    const coverage = new Coverage()
    const actor = createActor(door, { inspect: coverage.inspect }).start()
    actor.send({ type: 'knock', times: 3 })
    actor.send({ type: 'open' })
    const svg = await coverage.toSvg(door)
    expect(svg).toMatch(/^<svg /)
    expect(svg).toContain('data-transition="door.shut:open:0"')
    expect(svg).toMatch(/>1× open \[isHeard\]</)
    expect(svg).toMatch(/class="vn"[^>]*>✗ shut</)
  })

  test('gives up when a context grows for ever, unless states are told apart by their value', () => {
    const counting = setup({ types: { context: {} as { count: number } } }).createMachine({
      id: 'counting',
      initial: 'on',
      context: { count: 0 },
      states: { on: { on: { count: { actions: assign({ count: ({ context }) => context.count + 1 }) } } } },
    })
    expect(() => machinePaths(counting, { maxSteps: 100 })).toThrow(/limit/i)
    expect(machinePaths(counting, { by: 'value' }).map(({ value }) => value)).toEqual(['on'])
  })
})

/** What no workflow leads to, since the runtime asks before it sends; the charts answer it all the same. */
function sendLateWords(coverage: Coverage): void {
  const run = () =>
    createActor(orchestratorMachine, { input: { maxRunMs: 0 }, inspect: coverage.inspect }).start()
  run().send({ type: 'run.cancel', at: 1 })
  const settling = run()
  settling.send({ type: 'run.start', at: 1 })
  settling.send({ type: 'tree.failed', at: 2 })
  settling.send({ type: 'tree.failed', at: 3 })
  settling.send({ type: 'tree.satisfied', at: 3, stopRunning: false })
  const pool = createActor(poolMachine, { input: { maxParallelJobs: 1 }, inspect: coverage.inspect }).start()
  pool.send({ type: 'pressure.raised', at: 1, reasons: [] })
  pool.send({ type: 'pressure.raised', at: 2, reasons: [] })
  pool.send({ type: 'pool.pause', at: 3 })
  pool.send({
    type: 'jobs.changed',
    at: 3,
    jobs: { queued: 1, running: 0, completed: 0, failed: 0, cancelled: 0 },
  })
  pool.send({ type: 'pool.shutdown', at: 3, wait: true, timeoutMs: 9 })
  pool.send({ type: 'pool.shutdown', at: 3, wait: true, timeoutMs: 5 })
  const policy = {
    timeoutMs: 10,
    killGraceMs: 10,
    maxRetries: 0,
    maxLost: 0,
    backoff: { type: 'fixed', delayMs: 0 },
  } as const
  const input = { jobId: 'job', origin: undefined, policy, queuedAt: 0, readyAt: undefined }
  const job = createActor(jobMachine, { input, inspect: coverage.inspect }).start()
  job.send({ type: 'dependencies.met', at: 1 })
  job.send({ type: 'slot.granted', at: 1 })
  job.send({ type: 'job.cancel', at: 2, by: 'user', reason: 'user' })
  job.send({ type: 'deadline.reached', at: 3 })
}

test('explored and simulated worlds take every transition of the three charts', {
  timeout: 120_000,
}, async () => {
  const coverage = new Coverage()
  for (const { subject, options } of Object.values(scenarios) as Scenario[]) {
    await explore(subject, { ...options, coverage, limits: { maxStates: 250 } })
    const { failed } = await simulateMany(subject, { ...options, faults: FAULT_TYPES, runs: 40, coverage })
    expect(failed?.violation).toBeUndefined()
  }
  const aimed = async ({ subject, options }: Scenario, faults: readonly Fault[]) =>
    expect((await simulate(subject, { ...options, faults, coverage })).violation).toBeUndefined()
  await aimed(scenarios.drain as Scenario, [
    { type: 'shutdown', at: 1 },
    { type: 'halt', at: 2 },
  ])
  await aimed(scenarios.hurried as Scenario, [
    { type: 'late', chance: 1 },
    { type: 'cancel', at: 900 },
  ])
  const before = coverage.report().flatMap(({ missed }) => missed)
  expect(before.length).toBeLessThanOrEqual(8)
  sendLateWords(coverage)
  expect(coverage.report().flatMap(({ missed }) => missed.map(({ id }) => id))).toEqual([])
  expect(coverage.report().flatMap(({ missedStates }) => missedStates)).toEqual([])
  for (const machine of [jobMachine, poolMachine, orchestratorMachine]) {
    for (const { id } of transitionsOf(machine)) expect(coverage.has(id), id).toBe(true)
    expect(coverage.toMermaid(machine)).not.toContain('✗')
  }
})
