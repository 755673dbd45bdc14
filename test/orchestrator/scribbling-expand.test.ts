import { type ExpandRequest, grow, type TreeNode } from 'espalier'
import { describe, expect, test } from 'vitest'
import { decide, type Expand, grown, held, started, value } from './harness.ts'

describe('an `expand` that changes what it was given', () => {
  type Change = (request: ExpandRequest) => unknown
  const scribble = (request: ExpandRequest, change: Change): void => {
    try {
      change(request)
    } catch {
      // What is frozen may well refuse.
    }
  }

  /** Grows a tree that its limits cut, and changes what each question was asked with; once without changing. */
  const growWith = async (change: Change) => {
    const limits = { maxDepth: 2, maxNodes: 20, maxChildrenPerNode: 2 }
    const decisions: Expand = ({ node: { key } }) => grow([value(`${key}/a`), value(`${key}/b`)])
    const honest = await grown({ limits, expand: decisions })
    const trial = await started({
      limits,
      expand: (request) => {
        const answer = decisions(request)
        scribble(request, change)
        return answer
      },
    })
    const { queued, running } = trial.pool.getStatus()
    expect({ queued, running }).toEqual({ queued: 0, running: 0 })
    return { honest: honest.outcome, outcome: trial.ended }
  }

  const ofNode: [string, Change][] = [
    ['its depth', ({ node }) => Object.assign(node, { depth: -100 })],
    ['its children', ({ node }) => Object.assign(node, { children: [] })],
    ['its id', ({ node }) => Object.assign(node, { id: 'n0' })],
    ['its revisions', ({ node }) => Object.assign(node, { revisions: -100 })],
    ['its status', ({ node }) => Object.assign(node, { status: 'queued' })],
    ['its parent', ({ node }) => Object.assign(node, { parentId: 'nobody' })],
    ['its budget', ({ budget }) => Object.assign(budget, { nodes: 1e9, depth: 1e9, children: 1e9 })],
    ['its request', (request) => Object.assign(request, { node: undefined, tree: undefined })],
    ['its result', ({ result }) => Object.assign(result, { status: 'cancelled', value: 'forged' })],
    ['the tree', ({ tree }) => Object.assign(tree, { nodes: {}, rootIds: [] })],
  ]
  const ofTree: [string, Change][] = [
    ['the nodes of the tree', ({ tree }) => delete (tree.nodes as Record<string, TreeNode>).n0],
    ['the roots of the tree', ({ tree }) => (tree.rootIds as string[]).splice(0)],
  ]

  test.each([...ofNode, ...ofTree])('in %s escapes no limit and miscounts nothing', async (_, change) => {
    const { honest, outcome } = await growWith(change)
    const { status, reason, metrics } = honest
    expect(outcome).toMatchObject({ status, reason, metrics })
  })

  test.each(ofNode)('in %s leaves the tree true', async (_, change) => {
    const { honest, outcome } = await growWith(change)
    expect(outcome.tree).toEqual(honest.tree)
  })

  test('and the spec of a node after it was grown has no effect', async () => {
    const spec: { handler: string; key: string; input: unknown } = {
      handler: 'held',
      key: 'a',
      input: 'kept',
    }
    const trial = await started({
      expand: decide({
        root: grow([spec]),
        a: ({ node: { revisions } }) =>
          revisions === 0 ? { type: 'revise', patch: {}, why: undefined, score: undefined } : undefined,
      }),
    })
    spec.handler = 'nobody'
    spec.input = 'forged'
    await trial.complete('a')
    expect(trial.attempt('a').args).toEqual(['kept'])
    await trial.complete('a')
    expect(trial.expectNothingLeft().status).toBe('completed')
    expect(trial.node('a')).toMatchObject({ handler: 'held', input: 'kept', revisions: 1 })
  })

  test('and the array it answered, after it was grown, has no effect', async () => {
    const specs = [held('a')]
    const trial = await started({ expand: decide({ root: grow(specs) }) })
    specs.push(held('b'))
    await trial.complete('a')
    expect(trial.expectNothingLeft().metrics.nodes).toBe(2)
  })
})
