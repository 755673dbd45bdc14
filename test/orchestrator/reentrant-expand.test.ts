import { type ExpandAnswer, grow, satisfy } from 'espalier'
import { describe, expect, test } from 'vitest'
import { decide, type Expand, held, obeying, started, type Trial, value } from './harness.ts'

/** A trial whose `expand` gets at the trial itself: at once, and after a turn. */
const withReach = async (
  parts: Parameters<typeof started>[0],
  options: Parameters<typeof started>[1],
  expandOf: (trial: () => Trial) => Expand,
): Promise<Trial[]> => {
  const trials: Trial[] = []
  for (const isLate of [false, true]) {
    let trial: Trial | undefined
    const expand = expandOf(() => trial as Trial)
    const starting = started(
      { ...parts, root: () => held('root'), expand: isLate ? late(expand) : expand },
      options,
    )
    trial = await starting
    await trial.complete('root')
    trials.push(trial)
  }
  return trials
}

const late =
  (expand: Expand): Expand =>
  async (request) => {
    await Promise.resolve()
    return expand(request)
  }

const cancelled = { status: 'cancelled', reason: 'cancelled' }

describe('an `expand` that cancels the run', () => {
  test('has its own answer dropped', async () => {
    const trials = await withReach({}, {}, (trial) => () => {
      trial().orchestrator.cancel()
      return grow([value('a')])
    })
    for (const trial of trials) {
      expect(trial.expectNothingLeft()).toMatchObject({ ...cancelled, metrics: { nodes: 1, decisions: 0 } })
      expect(trial.node('root').decision).toBeUndefined()
    }
  })

  test('stops running and queued siblings', async () => {
    const trials = await withReach({}, { maxParallelJobs: 2 }, (trial) =>
      decide({
        root: grow([obeying('running'), value('judge'), value('queued')]),
        judge: () => {
          trial().orchestrator.cancel()
          return satisfy('too late')
        },
      }),
    )
    expect(trials[0]!.statuses).toMatchObject({ running: 'cancelled', queued: 'cancelled' })
    for (const trial of trials) {
      expect(trial.expectNothingLeft()).toMatchObject({ ...cancelled, value: undefined })
      expect(trial.node('running').status).toBe('cancelled')
    }
  })

  test('starts nothing more, even while the roots are being planted', async () => {
    const controller = new AbortController()
    const expand: Expand = () => {
      controller.abort()
      return undefined
    }
    const trial = await started(
      { root: () => [value('a'), value('b')], expand },
      { maxParallelJobs: 1, runSignal: controller.signal },
    )
    expect(trial.started).toEqual(['a'])
    expect(trial.expectNothingLeft()).toMatchObject(cancelled)
  })

  test('is counted with the decisions that were carried out, and no other', async () => {
    const controller = new AbortController()
    const trial = await started(
      {
        expand: () => {
          controller.abort()
          return grow([value('a')])
        },
      },
      { runSignal: controller.signal },
    )
    expect(trial.expectNothingLeft().metrics.decisions).toBe(trial.decided.length)
    expect(trial.nodes).toHaveLength(1)
  })
})

describe('an `expand` that shuts the pool down', () => {
  test.each([true, false])('ends the run as cancelled, if it wanted to grow (wait: %s)', async (wait) => {
    const closing: Promise<void>[] = []
    const trials = await withReach({}, {}, (trial) => () => {
      closing.push(trial().pool.shutdown({ wait }))
      return grow([value('a')])
    })
    await Promise.all(closing)
    for (const trial of trials) {
      await trial.settle()
      expect(trial.nodes).toHaveLength(1)
      expect(trial.expectNothingLeft()).toMatchObject(cancelled)
    }
  })

  test('cancels what runs beside it', async () => {
    const closing: Promise<void>[] = []
    const trials = await withReach({}, {}, (trial) =>
      decide({
        root: grow([obeying('running'), value('judge')]),
        judge: () => {
          closing.push(trial().pool.shutdown({ wait: false }))
          return undefined
        },
      }),
    )
    await Promise.all(closing)
    for (const trial of trials) {
      await trial.settle()
      expect(trial.expectNothingLeft()).toMatchObject(cancelled)
      expect(trial.node('running').status).toBe('cancelled')
    }
  })
})

describe('an `expand` that meddles otherwise', () => {
  test('may cancel a job of its tree', async () => {
    const trials = await withReach({}, {}, (trial) =>
      decide({
        root: grow([obeying('running'), value('judge')]),
        judge: () => {
          trial().pool.cancelJob(trial().node('running').jobId)
          return grow([value('after')])
        },
      }),
    )
    for (const trial of trials) {
      expect(trial.expectNothingLeft()).toMatchObject({ status: 'completed', reason: 'exhausted' })
      expect(trial.statuses).toMatchObject({ running: 'cancelled', after: 'completed' })
    }
  })

  test('may pause the pool: what it grows waits', async () => {
    const trials = await withReach({}, {}, (trial) => ({ node }): ExpandAnswer => {
      if (node.key !== 'root') return undefined
      trial().pool.pause()
      return grow([value('a')])
    })
    for (const trial of trials) {
      expect(trial.statuses).toMatchObject({ a: 'queued' })
      trial.pool.resume()
      await trial.settle()
      expect(trial.expectNothingLeft().status).toBe('completed')
    }
  })

  test('may submit jobs of its own, which are no part of the tree', async () => {
    const trials = await withReach({}, {}, (trial) => () => {
      trial().pool.submitJob({ execute: () => 1, nodeId: 'n0', treeId: 'run' })
      return undefined
    })
    for (const trial of trials) {
      expect(trial.expectNothingLeft().metrics).toMatchObject({ nodes: 1, decisions: 1 })
      expect(trial.pool.getStatus().completed).toBe(2)
    }
  })

  test('cannot run the same orchestrator again', async () => {
    const refused: unknown[] = []
    const trials = await withReach({}, {}, (trial) => () => {
      trial()
        .orchestrator.run()
        .catch((error) => refused.push(error))
      return undefined
    })
    for (const trial of trials) expect(trial.expectNothingLeft().status).toBe('completed')
    expect(refused).toEqual([
      expect.objectContaining({ code: 'ESP_RUN_STARTED' }),
      expect.objectContaining({ code: 'ESP_RUN_STARTED' }),
    ])
  })
})
