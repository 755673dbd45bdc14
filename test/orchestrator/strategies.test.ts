import { grow, type NodeSpec, type Strategy } from 'espalier'
import { describe, expect, test } from 'vitest'
import { decide, grown, value } from './harness.ts'

/** root → a (→ a1 → a1x, a2), b (→ b1), c: told by their keys. */
const known = (score: Record<string, number> = {}) => {
  const of = (...keys: string[]): readonly NodeSpec[] =>
    keys.map((key) => value(key, score[key] === undefined ? {} : { score: score[key] }))
  return {
    root: () => of('root'),
    expand: decide({
      root: grow(of('a', 'b', 'c')),
      a: grow(of('a1', 'a2')),
      a1: grow(of('a1x')),
      b: grow(of('b1')),
    }),
  }
}

const orderOf = async (strategy: Strategy | undefined, score?: Record<string, number>) => {
  const trial = await grown(
    { ...known(score), ...(strategy === undefined ? {} : { strategy }) },
    { maxParallelJobs: 1 },
  )
  return trial.started.join(' ')
}

describe('with one slot, the strategy', () => {
  test('depth-first follows a branch to its end before the next', async () => {
    expect(await orderOf('depth-first')).toBe('root a a1 a1x a2 b b1 c')
  })

  test('breadth-first finishes a level before the next', async () => {
    expect(await orderOf('breadth-first')).toBe('root a b c a1 a2 b1 a1x')
  })

  test('best-first starts the highest score, of all that wait', async () => {
    const score = { root: 0, a: 1, b: 3, c: 2, b1: 1.5, a1: 5, a2: 0.5, a1x: -1 }
    expect(await orderOf('best-first', score)).toBe('root b c b1 a a1 a2 a1x')
  })

  test('best-first is the default', async () => {
    const score = { a: 1, b: 2, c: 3 }
    expect(await orderOf(undefined, score)).toBe(await orderOf('best-first', score))
    expect(await orderOf(undefined, score)).not.toBe(await orderOf('depth-first', score))
  })

  test('best-first keeps the order of growth among equals', async () => {
    expect(await orderOf('best-first')).toBe('root a b c a1 a2 b1 a1x')
  })

  test('depth-first and breadth-first start the higher score of one level first, and never trade it for depth', async () => {
    const score = { a: -1e6, b: 0, c: 1e6, a1: -1e9, a2: 1e9, b1: 3, a1x: 0 }
    expect(await orderOf('depth-first', score)).toBe('root c b b1 a a2 a1 a1x')
    expect(await orderOf('breadth-first', score)).toBe('root c b a a2 b1 a1 a1x')
  })
})

describe('the priority of a node', () => {
  test('goes before score and depth', async () => {
    const specs = [
      value('low', { priority: 'low', score: 100 }),
      value('normal'),
      value('high', { priority: 'high', score: -1 }),
      value('critical', { priority: 'critical', score: -100 }),
    ]
    for (const strategy of ['best-first', 'depth-first', 'breadth-first'] as const) {
      const trial = await grown({ strategy, expand: decide({ root: grow(specs) }) }, { maxParallelJobs: 1 })
      expect(trial.started).toEqual(['root', 'critical', 'high', 'normal', 'low'])
    }
  })

  test('is not handed down to its children', async () => {
    const trial = await grown(
      {
        expand: decide({
          root: grow([value('urgent', { priority: 'high' }), value('plain', { score: 1 })]),
          urgent: grow([value('child')]),
        }),
      },
      { maxParallelJobs: 1 },
    )
    expect(trial.started).toEqual(['root', 'urgent', 'plain', 'child'])
  })

  test('that does not exist refuses the decision', async () => {
    const wrong = value('a', { priority: 'urgent' as never })
    const trial = await grown({ expand: decide({ root: grow([wrong]) }) })
    expect(trial.node('root').decision?.error).toMatchObject({ code: 'ESP_UNKNOWN_PRIORITY' })
  })
})

test('a revised node waits in line by its new score', async () => {
  const trial = await grown(
    {
      root: () => [value('a', { score: 3 }), value('b', { score: 2 }), value('c', { score: 1 })],
      expand: ({ node: { key, revisions } }) =>
        key === 'a' && revisions === 0
          ? { type: 'revise', patch: { score: 1.5 }, why: undefined, score: undefined }
          : undefined,
    },
    { maxParallelJobs: 1 },
  )
  expect(trial.started).toEqual(['a', 'b', 'a', 'c'])
})
