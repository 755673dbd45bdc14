import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { jobMachine } from '../../machines/index.ts'
import { type Chart, chartSvg } from '../../src/protocol/index.ts'
import { transitionsOf } from '../../src/statechart/index.ts'

const chart = JSON.parse(
  readFileSync(new URL('../../machines/job.chart.json', import.meta.url), 'utf8'),
) as Chart

describe('the layout of the job chart', () => {
  test('has every transition that leaves a state, with a way from its source to its target', () => {
    const drawn = new Set(chart.right.edges.map(({ id }) => id))
    const leaving = transitionsOf(jobMachine).filter(({ targets }) => targets.length > 0)
    expect(leaving.filter(({ id }) => !drawn.has(id))).toEqual([])
    for (const { points } of [...chart.right.edges, ...chart.down.edges])
      expect(points.length).toBeGreaterThanOrEqual(2)
  })

  test('keeps every state inside its parent, and clear of its siblings', () => {
    for (const { nodes } of [chart.down, chart.right]) {
      for (const node of nodes) {
        const parent = nodes.find(({ id }) => id === node.parent)
        if (parent === undefined) continue
        expect(node.x).toBeGreaterThanOrEqual(parent.x)
        expect(node.y).toBeGreaterThanOrEqual(parent.y)
        expect(node.x + node.width).toBeLessThanOrEqual(parent.x + parent.width)
        expect(node.y + node.height).toBeLessThanOrEqual(parent.y + parent.height)
        for (const other of nodes) {
          if (other === node || other.parent !== node.parent) continue
          const isApart =
            node.x + node.width <= other.x ||
            other.x + other.width <= node.x ||
            node.y + node.height <= other.y ||
            other.y + other.height <= node.y
          expect([node.id, other.id, isApart]).toEqual([node.id, other.id, true])
        }
      }
    }
  })
})

describe('the picture', () => {
  test('shows what is active, could be taken, was taken and was not, not by colour alone', () => {
    const [first, second] = chart.right.edges.filter(({ event }) => event !== '')
    const svg = chartSvg(chart.right, {
      active: new Set(['job.queued.ready']),
      enabled: new Set([first?.id ?? '']),
      taken: new Map([[second?.id ?? '', 12_431]]),
      counts: new Map([['job.completed', 59_571]]),
    })
    expect(svg).toContain('● ready')
    expect(svg).toContain('class="e eb"')
    expect(svg).toContain('12,431× ')
    expect(svg).toContain('✗ ')
    expect(svg).toContain('>59,571<')
  })

  test('cannot be broken out of by a name', () => {
    const [root, ...others] = chart.right.nodes
    const evil = { ...(root as (typeof others)[number]), key: '</text><script>alert(1)</script>&\u0000' }
    const svg = chartSvg({ ...chart.right, nodes: [evil, ...others] }, { title: '"><script>' })
    expect(svg).not.toContain('<script>')
    expect(svg).toContain('&lt;/text&gt;&lt;script&gt;')
    expect(svg).not.toContain('\u0000')
  })
})
