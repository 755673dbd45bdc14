import { grow, type RunStreamEvent, satisfy } from 'espalier'
import { describe, expect, test } from 'vitest'
import { createAnswer, decide, held, nameOf, started, value } from './harness.ts'

/** The events of nodes, as `name status` and `name decided`, in order. */
const storyOf = (events: readonly RunStreamEvent[]): string[] =>
  events.flatMap((event) => {
    if (event.type === 'node.decided') return [`${nameOf(event.node)} decided`]
    return event.type === 'node.changed' ? [`${nameOf(event.node)} ${event.node.status}`] : []
  })

/** Expects that `earlier` was told before `later`, both once. */
const expectOrder = (story: readonly string[], earlier: string, later: string) => {
  expect(story.filter((line) => line === earlier)).toHaveLength(1)
  expect(story.filter((line) => line === later)).toHaveLength(1)
  expect(story.indexOf(earlier)).toBeLessThan(story.indexOf(later))
}

describe('a fast branch', () => {
  const fast = {
    root: grow([held('slow'), value('fast')]),
    fast: grow([value('faster')]),
    faster: grow([value('fastest')]),
  }

  test('is not held back by a sibling that still runs', async () => {
    const trial = await started({ expand: decide(fast) })
    expect(trial.statuses).toEqual({
      root: 'completed',
      slow: 'running',
      fast: 'completed',
      faster: 'completed',
      fastest: 'completed',
    })
    await trial.complete('slow')
    trial.expectNothingLeft()
    expectOrder(storyOf(trial.events), 'fastest decided', 'slow decided')
  })

  test('is not held back by a sibling that `expand` still ponders', async () => {
    const answer = createAnswer()
    const trial = await started({ expand: decide({ ...fast, slow: () => answer.promise }) })
    await trial.complete('slow')
    expect(trial.decided).toEqual(['root', 'fast', 'faster', 'fastest'])
    answer.resolve(grow([value('late')]))
    await trial.settle()
    trial.expectNothingLeft()
    expectOrder(storyOf(trial.events), 'fastest decided', 'slow decided')
  })

  test('grows while all of its siblings are pondered, each in its own time', async () => {
    const answers = { a: createAnswer(), b: createAnswer(), c: createAnswer() }
    const trial = await started({
      root: () => [value('a'), value('b'), value('c')],
      expand: decide({ a: () => answers.a.promise, b: () => answers.b.promise, c: () => answers.c.promise }),
    })
    answers.c.resolve(grow([value('c1')]))
    await trial.settle()
    expect(trial.statuses.c1).toBe('completed')
    expect(trial.decided.toSorted()).toEqual(['c', 'c1'])
    answers.a.resolve(grow([value('a1')]))
    await trial.settle()
    answers.b.resolve(undefined)
    await trial.settle()
    expect(trial.decided.slice(2, -1).toSorted()).toEqual(['a', 'a1'])
    expect(trial.decided.at(-1)).toBe('b')
    trial.expectNothingLeft()
  })

  test('may find the answer while the slow one has not ended', async () => {
    const trial = await started({ expand: decide({ ...fast, fastest: satisfy('found') }) })
    expect(trial.outcome).toBeUndefined()
    await trial.complete('slow')
    expect(trial.ended.value).toBe('found')
  })

  test('is put to `expand` in the very turn of its end, before the next job starts', async () => {
    const trial = await started(
      { expand: decide({ root: grow([value('a'), value('b')]) }) },
      { maxParallelJobs: 1 },
    )
    expect(storyOf(trial.events).filter((line) => /^[ab] /.test(line))).toEqual([
      'a running',
      'a completed',
      'a decided',
      'b running',
      'b completed',
      'b decided',
    ])
  })
})
