import { jobMachine } from 'espalier/machines'
import { type Counterexample, Coverage, eventually, replay, simulate, type WorldView } from 'espalier/testing'
import { expect, test } from 'vitest'
import { searching } from './workflows.ts'

function nothingFails(world: WorldView): void {
  const failed = world.jobs.find(({ status }) => status === 'failed')
  if (failed !== undefined) throw new Error(`${failed.id} failed`)
}

test('a counterexample breaks the same promise again, after a journey through JSON', async () => {
  const found = await simulate(searching, { seed: 3, faults: ['fail'], invariants: [nothingFails] })
  expect(found.violation).toMatchObject({
    invariant: 'nothingFails',
    message: expect.stringMatching(/^run\.\S+ failed$/),
  })
  const counterexample = JSON.parse(JSON.stringify(found.counterexample)) as Counterexample
  const again = await replay(searching, counterexample, { invariants: [nothingFails] })
  expect(again.violation).toEqual(found.violation)
  expect(again.skipped).toEqual([])
})

test('what has been mended is not broken by its counterexample any more', async () => {
  const { counterexample } = await simulate(searching, {
    seed: 3,
    faults: ['fail'],
    invariants: [nothingFails],
  })
  const again = await replay(searching, counterexample!)
  expect(again.violation).toBeUndefined()
})

test('a property that never comes about is a violation', async () => {
  const impossible = eventually('a hundred nodes grow', ({ nodes }) => nodes.length >= 100)
  const { violation } = await simulate(searching, { invariants: [impossible] })
  expect(violation).toMatchObject({ invariant: 'a hundred nodes grow' })
  const usual = eventually('the run is satisfied', ({ outcome }) => outcome?.reason === 'satisfied')
  expect((await simulate(searching, { invariants: [usual] })).violation).toBeUndefined()
})

test('coverage tells which transitions were taken, and which never', async () => {
  const coverage = new Coverage()
  await simulate(searching, { coverage })
  const { taken, missed } = coverage.report([jobMachine])[0]!
  expect(taken).toBeGreaterThan(0)
  expect(missed.map(({ id }) => id)).toContain('job.running.executing:job.cancel:0')
  expect(coverage.has('job.queued.ready:slot.granted:0')).toBe(true)
  expect(coverage.toMermaid(jobMachine)).toContain('✗')
})
