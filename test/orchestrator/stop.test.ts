import { grow, stop } from 'espalier'
import { describe, expect, test } from 'vitest'
import { decide, grown, value } from './harness.ts'

describe('a decision to stop', () => {
  test('ends its branch, and no other', async () => {
    const trial = await grown({
      expand: decide({ root: grow([value('a'), value('b')]), a: stop('poor'), b: grow([value('c')]) }),
    })
    expect(trial.node('a').decision).toMatchObject({
      type: 'stop',
      why: 'poor',
      nodeIds: [],
      cut: [],
      error: undefined,
    })
    expect(trial.node('c').status).toBe('completed')
  })

  test('may record how promising the node was', async () => {
    const trial = await grown({ expand: decide({ root: stop({ why: 'enough', score: 0.9 }) }) })
    expect(trial.node('root')).toMatchObject({ score: 0.9, decision: { type: 'stop', why: 'enough' } })
  })

  test.each([
    ['undefined', undefined],
    ['null', null],
  ])('is what %s means', async (_, answer) => {
    for (const expand of [() => answer, async () => answer]) {
      const trial = await grown({ expand })
      expect(trial.node('root').decision).toMatchObject({ type: 'stop', why: undefined, error: undefined })
      expect(trial.outcome).toMatchObject({ reason: 'exhausted', metrics: { decisions: 1 } })
    }
  })

  test('is what a workflow without `expand` always decides', async () => {
    const trial = await grown({ root: () => [value('a'), value('b')] })
    expect(trial.nodes.map(({ decision }) => decision?.type)).toEqual(['stop', 'stop'])
    expect(trial.outcome).toMatchObject({
      status: 'completed',
      reason: 'exhausted',
      value: undefined,
      error: undefined,
    })
  })
})
