import { defineWorkflow, grow, node, stop } from 'espalier'
import {
  type CheckOptions,
  checkSubject,
  explore,
  type Fault,
  type Invariant,
  replay,
  type WorldView,
} from 'espalier/testing'
import { describe, expect, test } from 'vitest'
import { adversarial, diamond } from './workflows.ts'

describe('explore', () => {
  test.each(adversarial)(
    'no order of events breaks a promise in $workflow.name',
    async ({ workflow, options }) => {
      const report = await explore(workflow, options)
      expect(report.violation).toBeUndefined()
      expect(report.cutBy).toBeUndefined()
      expect(report.ends).toBeGreaterThan(0)
    },
    120_000,
  )

  test.each([
    [
      'a process that dies at any point, during a backoff too, leaves what the next one ends well',
      'crash',
      { maxLost: 1 },
    ],
    [
      'a store that refuses at any point, and takes again, leaves nothing behind',
      'refuse',
      { backoff: { type: 'fixed', delayMs: 20 } },
    ],
  ] as const)('%s', async (_, fault, pool) => {
    const limits = { maxFaults: 2 }
    const options = { pool: { maxParallelJobs: 2, maxRetries: 1, ...pool }, limits }
    const report = await explore(diamond, { ...options, faults: ['fail', 'cancel', fault] })
    expect(report.violation).toBeUndefined()
    expect(report.cutBy).toBe('maxFaults')
    expect(report.ends).toBeGreaterThan(0)
  })

  test('finds a shortest run that breaks a promise, and the run can be repeated', async () => {
    const notBoth = (world: WorldView) => {
      const ended = (key: string) => world.nodeNamed(key)?.status === 'completed'
      if (ended('b') && ended('c')) throw new Error('b and c have completed')
    }
    const options = { pool: { maxParallelJobs: 2, maxRetries: 1 }, faults: ['fail', 'cancel'] as const }
    const { violation, counterexample, depth } = await explore(diamond, { ...options, invariants: [notBoth] })
    expect(violation).toMatchObject({ invariant: 'notBoth' })
    expect(counterexample?.steps.map((step) => step.do)).toEqual(['end', 'end', 'end'])
    expect(depth).toBeLessThanOrEqual(3)
    const { violation: again, skipped } = await replay(diamond, counterexample!, { invariants: [notBoth] })
    expect(again).toEqual(violation)
    expect(skipped).toEqual([])
  })

  test('refuses what nobody reads, such as a mistyped name', async () => {
    const mistyped = { fault: ['fail'] } as CheckOptions
    await expect(checkSubject(diamond, mistyped)).rejects.toMatchObject({
      code: 'ESP_UNKNOWN_OPTION',
      message: expect.stringContaining('Did you mean "faults"?'),
    })
    const faults = [{ type: 'fail', atempt: 1 } as Fault]
    await expect(explore(diamond, { faults })).rejects.toMatchObject({ code: 'ESP_UNKNOWN_OPTION' })
  })

  test.each<[string, unknown]>([
    ['an object of functions', { notBoth: () => {} }],
    ['a list with something else in it', [() => {}, 'notBoth']],
  ])('refuses %s as invariants', async (_, invariants) => {
    const options = { invariants: invariants as readonly Invariant[] }
    await expect(explore(diamond, options)).rejects.toMatchObject({
      code: 'ESP_INVALID_OPTION',
      message: expect.stringContaining('a list of functions'),
    })
  })

  test('stops at a limit, and says at which', async () => {
    const options = { faults: ['fail', 'cancel'] as const, pool: { maxRetries: 1 } }
    expect(await explore(diamond, { ...options, limits: { maxStates: 50 } })).toMatchObject({
      cutBy: 'maxStates',
    })
    expect(await explore(diamond, { ...options, limits: { maxDepth: 3 } })).toMatchObject({
      cutBy: 'maxDepth',
      depth: 3,
    })
    const none = await explore(diamond, { ...options, limits: { maxFaults: 0 } })
    expect(none).toMatchObject({ cutBy: 'maxFaults' })
    expect(none.ends).toBe(1)
  })

  test('looks once at siblings that nobody can tell apart', async () => {
    const siblings = (isNamed: boolean) =>
      defineWorkflow({
        name: 'siblings',
        handlers: { work: () => {} },
        root: () => node({ handler: 'work' }),
        expand: ({ node: { depth } }) => {
          if (depth === 1) return stop()
          return grow(
            [1, 2, 3, 4].map((key) => node({ handler: 'work', ...(isNamed ? { key: `${key}` } : {}) })),
          )
        },
      })
    const options = { pool: { maxParallelJobs: 4 } }
    const named = await explore(siblings(true), options)
    const alike = await explore(siblings(false), options)
    expect(alike.states).toBeLessThan(named.states / 2)
    expect(alike.depth).toBe(named.depth)
  })
})
