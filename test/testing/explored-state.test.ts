import { expect, test } from 'vitest'
import { type ExploredState, findStuck } from '../../src/testing/search/explored-state.ts'

/** A state to which the others lead without a fault. */
const state = (sources: ExploredState[], canEnd = false): ExploredState => ({
  parent: undefined,
  step: undefined,
  depth: 0,
  faults: 0,
  choices: [],
  canEnd,
  sources,
  world: undefined,
})

test('a state is stuck when nothing but a fault leads from it to an end, in a circle too', () => {
  const start = state([])
  const onTheWay = state([start])
  const end = state([onTheWay, start], true)
  const there = state([])
  const andBack = state([there])
  there.sources.push(andBack)
  expect(findStuck([start, onTheWay, end])).toBeUndefined()
  expect(findStuck([start, there, onTheWay, andBack, end])).toBe(there)
})
