import { type ExpandAnswer, grow, type NodeSpec, node } from 'espalier'
import { describe, expect, test } from 'vitest'
import { broken, createAnswer, decide, type Expand, grown, started, value } from './harness.ts'

/** Runs an `expand` that answers `answer` for one of two branches, at once and later. */
const answering = async (answer: unknown) => {
  const wrong = answer as ExpandAnswer
  const at: Expand = decide({
    root: grow([value('odd'), value('even')]),
    odd: () => wrong,
    even: grow([value('leaf')]),
  })
  const trials = [await grown({ expand: at }), await grown({ expand: async (request) => at(request) })]
  for (const trial of trials) {
    expect(trial.outcome).toMatchObject({ status: 'completed', reason: 'exhausted', error: undefined })
    expect(trial.statuses).toEqual({
      root: 'completed',
      odd: 'completed',
      even: 'completed',
      leaf: 'completed',
    })
    expect(trial.node('odd').decision).toMatchObject({ type: 'stop', nodeIds: [], cut: [] })
  }
  return trials
}

describe('an `expand` that throws', () => {
  test('at once stops the branch, with the error kept as cause', async () => {
    const thrown = new Error('oops')
    const trial = await grown({
      expand: decide({
        root: grow([value('odd'), value('even')]),
        odd: () => {
          throw thrown
        },
        even: grow([value('leaf')]),
      }),
    })
    expect(trial.node('odd').decision).toMatchObject({
      type: 'stop',
      error: { code: 'ESP_EXPAND_FAILED', cause: thrown, details: { nodeId: 'n1', message: 'oops' } },
    })
    expect(trial.statuses).toMatchObject({ even: 'completed', leaf: 'completed' })
    expect(trial.outcome).toMatchObject({
      status: 'completed',
      reason: 'exhausted',
      metrics: { decisions: 3 },
    })
    expect(trial.logger.at('warn')).toEqual([expect.stringContaining('oops')])
  })

  test('later does the same', async () => {
    const thrown = new Error('oops')
    const trial = await grown({
      expand: decide({ root: grow([value('odd'), value('even')]), odd: () => Promise.reject(thrown) }),
    })
    expect(trial.node('odd').decision?.error).toMatchObject({ code: 'ESP_EXPAND_FAILED', cause: thrown })
    expect(trial.outcome).toMatchObject({ status: 'completed', reason: 'exhausted' })
  })

  test.each([['a string'], [undefined], [null], [{ message: 'no error' }]])(
    'anything, even %o, gives an error',
    async (thrown) => {
      for (const expand of [
        () => Promise.reject(thrown),
        () => {
          throw thrown
        },
      ]) {
        const trial = await grown({ expand })
        expect(trial.node('root').decision?.error).toMatchObject({
          code: 'ESP_EXPAND_FAILED',
          cause: { cause: thrown },
        })
      }
    },
  )

  test('about a failed root fails the run with the root’s own error', async () => {
    const trial = await grown({
      root: () => broken('root'),
      expand: () => {
        throw new Error('oops')
      },
    })
    expect(trial.outcome).toMatchObject({ status: 'failed', reason: 'failed', error: { message: 'broken' } })
  })
})

describe('an `expand` that answers', () => {
  test.each([
    ['a string', 'grow'],
    ['a number', 42],
    ['false', false],
    ['an array of nodes', [value('a')]],
    ['a node', value('a')],
    ['a function', () => grow([])],
    ['a symbol', Symbol('grow')],
    ['a date', new Date(0)],
    ['an unknown type', { type: 'explode' }],
    ['nodes that are no array', { type: 'grow', nodes: { 0: value('a') } }],
    ['nodes that are absent', { type: 'grow' }],
    ['a node that is a string', grow(['value' as never])],
    ['a node that is null', grow([value('a'), null as never])],
    ['a node that is undefined', grow([value('a'), undefined as never])],
    ['a hole among the nodes', grow(Array(2) as NodeSpec[])],
    ['a node without a handler', grow([{ input: 1 } as never])],
    ['ids that are a string', { type: 'prune', ids: 'n2' }],
    ['ids that are absent', { type: 'prune' }],
    ['a patch that is null', { type: 'revise', patch: null }],
    ['a patch that is a string', { type: 'revise', patch: 'again' }],
    ['a score that is not a number', { ...grow([value('a')]), score: Number.NaN }],
    ['an endless score', grow([value('a')], { score: Number.POSITIVE_INFINITY })],
    ['a score that is text', { ...grow([value('a')]), score: '1' }],
    ['a reason that is no text', grow([value('a')], { why: 5 as never })],
  ])('%s is told what was expected, and stops', async (_, answer) => {
    for (const trial of await answering(answer)) {
      expect(trial.node('odd').decision?.error).toMatchObject({
        code: 'ESP_INVALID_DECISION',
        details: { nodeId: 'n1' },
      })
      expect(trial.node('odd').score).toBeUndefined()
    }
  })

  test.each([
    ['ESP_UNKNOWN_OPTION', { ...grow([value('a')]), reason: 'a name of no part' }],
    ['ESP_UNKNOWN_OPTION', { type: 'stop', nodes: [] }],
    ['ESP_UNKNOWN_OPTION', { type: 'revise', patch: { prioritty: 'high' } }],
    ['ESP_UNKNOWN_OPTION', { type: 'revise', patch: { key: 'another' } }],
    ['ESP_UNKNOWN_OPTION', { type: 'revise', patch: { dependencies: [] } }],
    ['ESP_INVALID_OPTION', { type: 'revise', patch: { label: 5 } }],
    ['ESP_UNKNOWN_OPTION', grow([value('a', { maxRetry: 1 } as never)])],
    ['ESP_INVALID_OPTION', grow([value('a', { label: 5 as never })])],
    ['ESP_INVALID_OPTION', grow([value(5 as never)])],
    ['ESP_INVALID_OPTION', grow([value('')])],
    ['ESP_INVALID_OPTION', grow([value('a', { dependencies: 'even' as never })])],
    ['ESP_INVALID_OPTION', grow([value('a', { dependencies: [5 as never] })])],
    ['ESP_INVALID_OPTION', grow([value('a', { dependencies: Array(1) as never })])],
    ['ESP_INVALID_OPTION', grow([value('a', { backoff: { type: 'fixed', delayMs: -1 } })])],
    ['ESP_UNKNOWN_PRIORITY', grow([value('a', { priority: 'urgent' as never })])],
    ['ESP_UNKNOWN_HANDLER', grow([value('a'), node({ handler: 'nobody' })], { score: 4 })],
    ['ESP_UNKNOWN_HANDLER', grow([node({ handler: 'toString' })])],
    ['ESP_INVALID_OPTION', grow([value('a', { score: Number.NaN })])],
    ['ESP_INVALID_OPTION', grow([value('a', { timeoutMs: -1 })])],
    ['ESP_INVALID_OPTION', grow([value('a', { maxRetries: 0.5 })])],
    ['ESP_UNKNOWN_EXECUTOR', grow([value('a', { executor: 'abacus' })])],
    [
      'ESP_DEPENDENCY_CYCLE',
      grow([value('a', { dependencies: ['b'] }), value('b', { dependencies: ['a'] })]),
    ],
  ])('nodes that cannot be planted stops with %s, and plants none of them', async (code, answer) => {
    for (const trial of await answering(answer)) {
      expect(trial.node('odd').decision?.error).toMatchObject({ code })
      expect(trial.node('odd').score).toBeUndefined()
    }
  })

  test('dependencies of any shape comes to no harm', async () => {
    for (const dependencies of ['even', 5, { 0: 'even' }, [null], [{}]]) {
      for (const trial of await answering(grow([value('a', { dependencies: dependencies as never })]))) {
        expect(trial.node('odd').decision?.error).toBeInstanceOf(Error)
      }
    }
  })

  test('ids of any shape are unknown', async () => {
    const ids = [null, 5, {}, '', '__proto__', 'constructor'] as never
    const trial = await grown({ expand: decide({ root: { type: 'prune', ids } as never }) })
    expect(trial.node('root').decision).toMatchObject({
      type: 'prune',
      cut: [{ by: 'unknownNode', count: 6 }],
    })
  })

  test('something that throws when it is looked at stops its branch', async () => {
    const hostile = {
      get type(): never {
        throw new Error('do not look')
      },
    }
    for (const trial of await answering(hostile)) {
      expect(trial.node('odd').decision?.error).toMatchObject({ message: 'do not look' })
    }
  })

  test('something that throws when it might be a promise stops its branch', async () => {
    const hostile = {
      // biome-ignore lint/suspicious/noThenProperty: what is tested.
      get then(): never {
        throw new Error('do not wait')
      },
    }
    for (const trial of await answering(hostile)) {
      expect(trial.node('odd').decision?.error).toMatchObject({ code: 'ESP_EXPAND_FAILED' })
    }
  })

  test('a foreign promise that calls back twice is taken at its first word', async () => {
    const foreign = {
      // biome-ignore lint/suspicious/noThenProperty: what is tested.
      then(resolve: (answer: ExpandAnswer) => void, reject: (error: Error) => void) {
        resolve(grow([value('a')]))
        resolve(grow([value('b')]))
        reject(new Error('neither'))
      },
    }
    const trial = await grown({ expand: decide({ root: () => foreign as never }) })
    expect(trial.statuses).toEqual({ root: 'completed', a: 'completed' })
    expect(trial.node('root').decision?.error).toBeUndefined()
  })

  test('keys like those of every object has nodes of these names', async () => {
    const trial = await grown({
      expand: decide({
        root: grow([
          value('__proto__'),
          value('constructor', { dependencies: ['__proto__'] }),
          value('toString', { dependencies: ['constructor'] }),
        ]),
      }),
    })
    expect(trial.nodes.map(({ key, status }) => [key, status])).toEqual([
      ['root', 'completed'],
      ['__proto__', 'completed'],
      ['constructor', 'completed'],
      ['toString', 'completed'],
    ])
  })

  test('never is waited for until the run ends otherwise', async () => {
    const trial = await started({ expand: () => createAnswer().promise })
    expect(trial.outcome).toBeUndefined()
    trial.orchestrator.cancel()
    await trial.settle()
    expect(trial.expectNothingLeft().status).toBe('cancelled')
  })
})
