import type { RunStreamEvent, TreeNode } from 'espalier'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RandomRun } from './random-run.ts'

const RUNS = 300

/** Runs what the numbers choose, and then checks it. */
const forAllRuns = (
  check: (run: RandomRun) => void,
  settings: { readonly seed?: number; readonly numRuns?: number } = {},
) =>
  fc.assert(
    fc.asyncProperty(fc.array(fc.nat(), { minLength: 20, maxLength: 400, size: 'max' }), async (numbers) => {
      const run = new RandomRun(numbers)
      await run.toEnd()
      check(run)
    }),
    { numRuns: RUNS, ...settings },
  )

const of = <Type extends RunStreamEvent['type']>(events: readonly RunStreamEvent[], type: Type) =>
  events.filter((event) => event.type === type) as Extract<RunStreamEvent, { type: Type }>[]

describe('whatever a workflow decides, and in whatever order jobs and answers end', () => {
  test('the tree is a tree, within its limits', () =>
    forAllRuns(({ trial, limits }) => {
      const { tree } = trial.ended
      const nodes = Object.values(tree.nodes)
      expect(nodes.length).toBeLessThanOrEqual(limits.maxNodes)
      expect(nodes.map(({ id }) => id)).toEqual(nodes.map((_, index) => `n${index}`))
      expect(new Set(nodes.map(({ key }) => key)).size).toBe(nodes.length)
      expect(tree.rootIds).toEqual(nodes.filter(({ parentId }) => parentId === undefined).map(({ id }) => id))
      for (const { id, parentId, depth, children, revisions } of nodes) {
        expect(depth).toBe(parentId === undefined ? 0 : tree.nodes[parentId]!.depth + 1)
        expect(depth).toBeLessThanOrEqual(limits.maxDepth)
        if (parentId !== undefined) expect(tree.nodes[parentId]!.children).toContain(id)
        for (const child of children) expect(tree.nodes[child]!.parentId).toBe(id)
        expect(children.length).toBeLessThanOrEqual(limits.maxChildrenPerNode)
        expect(revisions).toBeLessThanOrEqual(limits.maxRevisions)
      }
    }))

  test('every node ends, no job of it is left, and the counts are right', () =>
    forAllRuns(({ trial, forgotten }) => {
      trial.expectNothingLeft()
      expect(forgotten).toBe(0)
      for (const { jobId, status, result } of trial.nodes) {
        expect(result?.jobId).toBe(jobId)
        expect(status === 'pruned' ? 'cancelled' : status).toBe(result?.status)
        expect(trial.pool.job(jobId)?.status).toBe(result?.status)
      }
    }))

  test('only what has ended is decided about, and what is told is the tree', () =>
    forAllRuns(({ trial }) => {
      const { events } = trial
      expect(events[0]?.type).toBe('run.started')
      expect(events.at(-1)?.type).toBe('run.ended')
      expect(of(events, 'run.ended')).toHaveLength(1)
      const told: Record<string, TreeNode> = {}
      for (const event of events) {
        if (event.type === 'node.added') expect(told[event.node.id]).toBeUndefined()
        else if ('node' in event) expect(told[event.node.id]).toBeDefined()
        if ('node' in event) told[event.node.id] = event.node
      }
      expect(told).toEqual({ ...trial.ended.tree.nodes })
      for (const { node, decision } of of(events, 'node.decided')) {
        const isRevised = decision.type === 'revise' && decision.nodeIds.includes(node.id)
        if (!isRevised) expect(['completed', 'failed']).toContain(node.status)
        else expect(node.result).toBeUndefined()
        if (decision.error !== undefined)
          expect(decision).toMatchObject({ type: 'stop', nodeIds: [], cut: [] })
      }
      const unanswered = new Set<unknown>(['ESP_EXPAND_FAILED', 'ESP_EXPAND_TIMEOUT'])
      const answered = of(events, 'node.decided').filter(
        ({ decision: { error } }) => !unanswered.has((error as { code?: unknown } | undefined)?.code),
      )
      expect(trial.ended.metrics.decisions).toBe(answered.length)
    }))

  test('the run ends for the reason it gives', () =>
    forAllRuns(({ trial, limits, failFast, hasMeddled }) => {
      const { status, reason, value, error, metrics } = trial.ended
      const decisions = of(trial.events, 'node.decided')
      const isCut = decisions.some(({ decision: { cut } }) => cut.some(({ by }) => by === 'maxNodes'))
      switch (reason) {
        case 'satisfied':
          expect({ status, value }).toEqual({ status: 'completed', value: 'found' })
          expect(decisions.some(({ decision }) => decision.type === 'satisfy')).toBe(true)
          break
        case 'exhausted':
          expect(status).toBe('completed')
          expect(isCut).toBe(false)
          break
        case 'limit': {
          expect(status).toBe('completed')
          const isLate = limits.maxRunMs !== undefined && metrics.durationMs >= limits.maxRunMs
          const areFull = metrics.nodes === limits.maxNodes
          expect(isLate || areFull).toBe(true)
          break
        }
        case 'failed': {
          expect(status).toBe('failed')
          const culprits = trial.nodes.filter(({ result }) => result?.error === error && error !== undefined)
          expect(culprits.some(({ depth }) => failFast || depth === 0)).toBe(true)
          break
        }
        case 'cancelled':
          expect(status).toBe('cancelled')
          expect(hasMeddled).toBe(true)
          break
      }
      if (reason !== 'failed') expect(error).toBeUndefined()
      if (reason !== 'satisfied') expect(value).toBeUndefined()
    }))
})

test('the random runs are worth their name: all reasons, decisions and statuses come up', async () => {
  const seen = new Set<string>()
  const note = ({ trial }: RandomRun) => {
    seen.add(trial.ended.reason)
    for (const { status, revisions } of trial.nodes) seen.add(status).add(revisions > 0 ? 'revised' : 'first')
    for (const { decision } of of(trial.events, 'node.decided')) {
      seen.add(decision.type)
      for (const { by } of decision.cut) seen.add(by)
      if (decision.error !== undefined)
        seen.add((decision.error as { code?: string }).code ?? decision.error.name)
    }
  }
  await forAllRuns(note, { seed: 1, numRuns: 2 * RUNS })
  const reasons = ['satisfied', 'exhausted', 'limit', 'failed', 'cancelled']
  const decisions = ['grow', 'stop', 'revise', 'prune', 'satisfy']
  const statuses = ['completed', 'failed', 'pruned', 'revised']
  const cuts = [
    'maxNodes',
    'maxChildrenPerNode',
    'maxDepth',
    'maxRevisions',
    'duplicateKey',
    'ended',
    'unknownNode',
  ]
  const errors = ['ESP_EXPAND_FAILED', 'ESP_EXPAND_TIMEOUT', 'ESP_INVALID_DECISION', 'ESP_DEPENDENCY_UNKNOWN']
  expect([...seen]).toEqual(
    expect.arrayContaining([...reasons, ...decisions, ...statuses, ...cuts, ...errors]),
  )
})
