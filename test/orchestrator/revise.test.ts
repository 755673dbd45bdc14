import { type ExpandAnswer, grow, node, revise, stop } from 'espalier'
import { describe, expect, test } from 'vitest'
import { broken, createAnswer, decide, type Expand, grown, held, started, value } from './harness.ts'

/** Answers in turn; the last answer for ever. */
const inTurn = (...answers: ExpandAnswer[]): Expand => {
  let turn = 0
  return () => answers[Math.min(turn++, answers.length - 1)]
}

describe('a decision to revise', () => {
  test('runs the node again, with the patch applied', async () => {
    const inputs: unknown[] = []
    const trial = await grown({
      handlers: { look: (input: unknown) => inputs.push(input) },
      root: () => node({ handler: 'look', key: 'root', input: 1, label: 'try' }),
      expand: decide({ root: inTurn(revise({ input: 2, label: 'try again' }, 'too small'), stop()) }),
    })
    expect(inputs).toEqual([1, 2])
    expect(trial.node('root')).toMatchObject({
      input: 2,
      label: 'try again',
      revisions: 1,
      jobId: 'run.n0.1',
      status: 'completed',
      result: { jobId: 'run.n0.1', value: 2 },
      decision: { type: 'stop' },
    })
    expect(trial.outcome.metrics).toMatchObject({ nodes: 1, revisions: 1, decisions: 2 })
  })

  test('may change the handler, and with it the label that came from it', async () => {
    const trial = await grown({
      root: () => broken('root'),
      expand: ({ node: { status } }) =>
        status === 'failed' ? revise({ handler: 'value', input: 'mended' }) : undefined,
    })
    expect(trial.node('root')).toMatchObject({
      handler: 'value',
      label: 'value',
      result: { value: 'mended' },
    })
    expect(trial.outcome).toMatchObject({ status: 'completed', reason: 'exhausted', error: undefined })
  })

  test('keeps what the patch does not name, over several revisions', async () => {
    const trial = await grown({
      root: () => value('root', { label: 'kept' }),
      expand: decide({ root: inTurn(revise({ input: 'second' }), revise({}), stop()) }),
    })
    expect(trial.node('root')).toMatchObject({
      label: 'kept',
      input: 'second',
      revisions: 2,
      jobId: 'run.n0.2',
    })
    expect(trial.node('root').result?.value).toBe('second')
  })

  test('forgets the earlier result and decision at once, and records why', async () => {
    const trial = await started({
      root: () => held('root'),
      expand: decide({ root: inTurn(revise({}, 'once more'), stop()) }),
    })
    await trial.fail('root')
    expect(trial.node('root')).toMatchObject({ status: 'running', result: undefined })
    const decided = trial.events.find(({ type }) => type === 'node.decided')
    expect(decided).toMatchObject({
      node: { status: 'queued', revisions: 1 },
      decision: { type: 'revise', why: 'once more', nodeIds: ['n0'], cut: [] },
    })
    await trial.complete('root')
    expect(trial.expectNothingLeft().status).toBe('completed')
  })

  test('waits again for the node’s parent and dependencies, and hands on their values', async () => {
    const seen: unknown[] = []
    await grown({
      handlers: { look: (_: unknown, { parentResults }) => void seen.push({ ...parentResults }) },
      expand: decide({
        root: grow([value('a'), node({ handler: 'look', key: 'b', dependencies: ['a'] })]),
        b: inTurn(revise({}), stop()),
      }),
    })
    expect(seen).toEqual([
      { n0: 'root', n1: 'a' },
      { n0: 'root', n1: 'a' },
    ])
  })

  test('records the score it was decided with, whatever score the node was planted with', async () => {
    for (const score of [undefined, 1]) {
      const trial = await started({
        root: () => held('root', score === undefined ? {} : { score }),
        expand: decide({ root: inTurn(revise({}, { score: 9 }), stop()) }),
      })
      await trial.complete('root')
      expect(trial.node('root').score).toBe(9)
      await trial.complete('root')
    }
  })

  test('with a score in its patch gives the node that score', async () => {
    const trial = await grown({
      root: () => value('root', { score: 1 }),
      expand: decide({ root: inTurn(revise({ score: 4 }), stop()) }),
    })
    expect(trial.node('root').score).toBe(4)
  })

  test('that cannot be carried out stops the branch and leaves the node as it was', async () => {
    const patches = {
      ESP_UNKNOWN_HANDLER: { handler: 'nobody' },
      ESP_INVALID_OPTION: { score: Number.NaN, input: 2 },
    }
    for (const [code, patch] of Object.entries(patches)) {
      const trial = await grown({ root: () => value('root', { input: 1 }), expand: () => revise(patch) })
      expect(trial.node('root')).toMatchObject({
        handler: 'value',
        input: 1,
        revisions: 0,
        status: 'completed',
        result: { value: 1 },
        decision: { type: 'stop', error: { code } },
      })
    }
  })
})

describe('the dependants of a node whose failure cancelled them', () => {
  const chain = [
    held('a'),
    value('b', { dependencies: ['a'] }),
    value('c', { dependencies: ['b'] }),
    held('other'),
  ]
  const mend = revise({ handler: 'value', input: 'mended' })

  test('run again with its revision, when `expand` answers at once', async () => {
    const trial = await started({
      expand: decide({
        root: grow(chain),
        a: ({ node: { status } }) => (status === 'failed' ? mend : undefined),
      }),
    })
    await trial.fail('a')
    await trial.complete('other')
    expect(trial.expectNothingLeft()).toMatchObject({ status: 'completed', reason: 'exhausted' })
    expect(trial.statuses).toMatchObject({ a: 'completed', b: 'completed', c: 'completed' })
  })

  test('run again with its revision, when `expand` answers later', async () => {
    const answer = createAnswer()
    const trial = await started({
      expand: decide({
        root: grow(chain),
        a: ({ node: { status } }) => (status === 'failed' ? answer.promise : undefined),
      }),
    })
    await trial.fail('a')
    expect(trial.statuses).toMatchObject({ a: 'failed', b: 'cancelled', c: 'cancelled' })
    answer.resolve(mend)
    await trial.settle()
    expect(trial.statuses).toMatchObject({ a: 'completed', b: 'completed', c: 'completed' })
    expect(trial.node('b')).toMatchObject({ revisions: 0, jobId: 'run.n2.1', result: { value: 'b' } })
    expect(trial.events).toContainEqual(
      expect.objectContaining({
        type: 'node.decided',
        decision: expect.objectContaining({ type: 'revise', nodeIds: ['n1', 'n2', 'n3'] }),
      }),
    )
    await trial.complete('other')
    trial.expectNothingLeft()
  })

  test('are asked about after they have run again, and may grow', async () => {
    const trial = await started({
      expand: decide({
        root: grow(chain),
        a: async ({ node: { status } }) => (status === 'failed' ? mend : undefined),
        c: grow([value('d')]),
      }),
    })
    await trial.fail('a')
    await trial.complete('other')
    expect(trial.node('d')).toMatchObject({ parentId: 'n3', status: 'completed' })
    trial.expectNothingLeft()
  })

  test('do not run again when they were pruned meanwhile', async () => {
    const answer = createAnswer()
    const trial = await started({
      expand: decide({
        root: grow(chain),
        a: ({ node: { status } }) => (status === 'failed' ? answer.promise : undefined),
        other: { type: 'prune', ids: ['n2'], why: undefined, score: undefined },
      }),
    })
    await trial.fail('a')
    await trial.complete('other')
    answer.resolve(mend)
    await trial.settle()
    trial.expectNothingLeft()
    expect(trial.node('a').status).toBe('completed')
    expect(trial.node('b').jobId).toBe('run.n2')
  })

  test('wait for the other dependency that failed too, and run when both are mended', async () => {
    const answers = { a: createAnswer(), b: createAnswer() }
    const mendLater = (key: 'a' | 'b') =>
      decide({ [key]: ({ node }) => (node.revisions ? undefined : answers[key].promise) })
    const trial = await started({
      root: () => [held('gate'), value('top')],
      expand: decide({
        top: grow([broken('a'), broken('b'), value('c', { dependencies: ['a', 'b'] })]),
        a: mendLater('a'),
        b: mendLater('b'),
      }),
    })
    answers.a.resolve(mend)
    await trial.settle()
    expect(trial.statuses).toMatchObject({ a: 'completed', b: 'failed', c: 'cancelled' })
    answers.b.resolve(mend)
    await trial.settle()
    expect(trial.statuses).toMatchObject({ a: 'completed', b: 'completed', c: 'completed' })
    await trial.complete('gate')
    trial.expectNothingLeft()
  })

  test('stay cancelled when somebody else cancelled them, whatever reason was given', async () => {
    const answer = createAnswer()
    const trial = await started({
      expand: decide({
        root: grow([held('a'), held('b', { dependencies: ['a'] })]),
        a: ({ node: { status } }) => (status === 'failed' ? answer.promise : undefined),
      }),
    })
    trial.pool.cancelJob(trial.node('b').jobId, 'dependency')
    await trial.fail('a')
    answer.resolve(mend)
    await trial.settle()
    expect(trial.statuses).toEqual({ root: 'completed', a: 'completed', b: 'cancelled' })
    trial.expectNothingLeft()
  })
})

test('a completed node may be revised, and runs in its own turn again', async () => {
  const trial = await grown({
    expand: decide({ root: inTurn(revise({ input: 'second' }), grow([value('a')])) }),
  })
  expect(trial.started).toEqual(['root', 'root', 'a'])
  expect(trial.node('root').result?.value).toBe('second')
})
