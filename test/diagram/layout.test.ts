import { beforeAll, describe, expect, test } from 'vitest'
import { type AnyStateMachine, createMachine } from 'xstate'
import { jobMachine, orchestratorMachine, poolMachine } from '../../machines/index.ts'
import { layOutChart } from '../../src/diagram/layout.ts'
import type { Box, Chart, ChartLayout } from '../../src/protocol/index.ts'

describe.each<[string, AnyStateMachine]>([
  ['job', jobMachine],
  ['pool', poolMachine],
  ['orchestrator', orchestratorMachine],
])('the chart of the %s, laid out', (_, machine) => {
  let chart: Chart

  beforeAll(async () => {
    chart = await layOutChart(machine)
  })

  describe.each(['down', 'right'] as const)('%s', (direction) => {
    const layout = (): ChartLayout => chart[direction]
    const labels = (): Box[] => layout().edges.flatMap(({ label }) => (label === undefined ? [] : [label]))

    test('has each transition between the same two states on one way, with a label of its own', () => {
      const ways = Map.groupBy(layout().edges, ({ source, target }) => `${source} → ${target}`)
      for (const [first, ...others] of ways.values())
        for (const { points, label } of others) {
          expect(points).toEqual(first?.points)
          expect(label?.lines.length).toBeGreaterThan(0)
        }
      expect(new Set(layout().edges.map(({ id, target }) => id + target)).size).toBe(layout().edges.length)
    })

    test('has no label over another', () => {
      const all = labels()
      const pairs = all.flatMap((one, index) => all.slice(index + 1).map((other) => [one, other] as const))
      expect(pairs.length).toBeGreaterThan(10)
      expect(pairs.filter(([one, other]) => overlap(one, other))).toEqual([])
    })

    test('has all within its edges', () => {
      const { width, height, nodes } = layout()
      const boxes = [...nodes, ...labels()]
      const isWithin = (box: Box) =>
        box.x >= 0 && box.y >= 0 && box.x + box.width <= width && box.y + box.height <= height
      expect(boxes.filter((box) => !isWithin(box))).toEqual([])
    })
  })
})

test.each([
  createMachine({
    id: 'lamp',
    initial: 'off',
    states: { off: { on: { toggle: 'on' } }, on: { on: { toggle: 'off' } } },
  }),
  createMachine({
    id: 'parallel',
    type: 'parallel',
    states: {
      left: { initial: 'a', states: { a: { on: { go: 'b' } }, b: { on: { back: 'a' } } } },
      right: { initial: 'c', states: { c: { on: { on: 'd' } }, d: {} } },
    },
  }),
  createMachine({ id: 'single' }),
])('a small machine is laid out too: $id', async (machine) => {
  const { down, right } = await layOutChart(machine)
  for (const { nodes, width, height } of [down, right]) {
    expect(nodes.length).toBeGreaterThan(0)
    expect(Math.min(width, height)).toBeGreaterThan(0)
  }
})

/** By more than a rounding. */
const overlap = (one: Box, other: Box): boolean =>
  Math.min(one.x + one.width, other.x + other.width) - Math.max(one.x, other.x) > 1 &&
  Math.min(one.y + one.height, other.y + other.height) - Math.max(one.y, other.y) > 1
