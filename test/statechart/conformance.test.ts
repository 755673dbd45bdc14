import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compile } from '../../src/statechart/index.ts'
import { charts } from './charts.ts'
import { expectConformance, expectSameDiaries } from './conformance.ts'
import { machines, questions, treatments } from './generated-charts.ts'

/** How many machines to generate; more for a long search. */
const numRuns = Number(process.env.CONFORMANCE_RUNS ?? 300)

describe('a compiled machine and a light actor behave like XState', () => {
  for (const [name, { machine, events, input }] of Object.entries(charts)) {
    it(`with ${name}`, () => {
      const { sequences } = expectConformance(machine, { events, input, depth: 4, statesMax: 40 })
      expect(sequences).toBeGreaterThan(0)
    })
  }

  it('with generated machines', () => {
    fc.assert(
      fc.property(machines, fc.array(treatments, { minLength: 1, maxLength: 3 }), (machine, several) => {
        const compiled = compile(machine)
        for (const acts of several) expectSameDiaries(machine, compiled, acts, { events: questions })
      }),
      { numRuns },
    )
  })
})
