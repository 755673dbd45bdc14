import Elk, { type ElkExtendedEdge, type ElkNode, type LayoutOptions } from 'elkjs/lib/elk.bundled.js'
import type { AnyStateMachine } from 'xstate'
import {
  type Chart,
  type ChartEdge,
  type ChartLayout,
  type ChartNode,
  stateLines,
} from '../protocol/chart.ts'
import { type Description, type DrawnEdge, type DrawnState, describeMachine, hashOf } from './describe.ts'
import { HEADER_HEIGHT, LINE_HEIGHT, sizeOf, widthOf } from './measure.ts'

/**
 * Lays a machine out, in both directions.
 *
 * It takes 50 to 600 ms of the processor: run it at build time, or in a thread of its own.
 */
export async function layOutChart(machine: AnyStateMachine): Promise<Chart> {
  return layOutDescription(machine.id, describeMachine(machine))
}

/** Lays out a machine that another thread has described. */
export async function layOutDescription(id: string, description: Description): Promise<Chart> {
  const [down, right] = await Promise.all([layOut(description, 'DOWN'), layOut(description, 'RIGHT')])
  return { id, hash: hashOf(description), down, right }
}

type Direction = 'DOWN' | 'RIGHT'

async function layOut({ states, edges }: Description, direction: Direction): Promise<ChartLayout> {
  const elk = new ElkConstructor()
  const root = toElk(states, direction)
  const ways = Map.groupBy(edges, wayOf)
  const laidOut = await elk.layout({ ...root, edges: [...ways].map(toElkEdge) })
  const { nodes, boxes } = placeNodes(laidOut, states)
  const placed = new Map((laidOut.edges ?? []).flatMap((way) => placeEdges(way, ways.get(way.id) ?? [])))
  const own = boxes.get(laidOut.id)
  return {
    width: Math.ceil(own?.width ?? 0),
    height: Math.ceil(own?.height ?? 0),
    nodes,
    edges: edges.map((edge) => placed.get(edge) as ChartEdge),
  }
}

// Its types say that the module itself is the class; what Node imports has it as its default.
const ElkConstructor = Elk as unknown as (typeof Elk)['default']

/** Nested graphs do not inherit options: each compound has all of them. */
const optionsOf = (direction: Direction): LayoutOptions => ({
  'elk.algorithm': 'layered',
  'elk.direction': direction,
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.json.edgeCoords': 'ROOT',
  'elk.randomSeed': '1',
  // Reads from the initial state to the final ones.
  'elk.layered.cycleBreaking.strategy': 'DEPTH_FIRST',
  'elk.edgeRouting': 'ORTHOGONAL',
  // What follows makes a chart small, so that it can be read where it has to fit.
  'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
  'elk.layered.edgeLabels.centerLabelPlacementStrategy': 'TAIL_LAYER',
  'elk.layered.spacing.nodeNodeBetweenLayers': '20',
  'elk.layered.spacing.edgeNodeBetweenLayers': '10',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '7',
  'elk.spacing.nodeNode': '26',
  'elk.spacing.edgeNode': '16',
  'elk.spacing.edgeEdge': '8',
  'elk.spacing.edgeLabel': '4',
  'elk.padding': '[top=24,left=18,bottom=18,right=18]',
})

function toElk(states: readonly DrawnState[], direction: Direction): ElkNode {
  const nodes = new Map<string, ElkNode>()
  let root: ElkNode | undefined
  for (const state of states) {
    const isCompound = state.kind === 'compound' || state.kind === 'parallel'
    const { width, height } = sizeOf(state)
    const header = HEADER_HEIGHT + LINE_HEIGHT * stateLines(state).length + 12
    const node: ElkNode = isCompound
      ? {
          id: state.id,
          children: [],
          layoutOptions: {
            ...optionsOf(direction),
            'elk.padding': `[top=${header},left=18,bottom=18,right=18]`,
            'elk.nodeSize.constraints': 'MINIMUM_SIZE',
            'elk.nodeSize.minimum': `(${width},${height})`,
          },
        }
      : { id: state.id, width, height }
    nodes.set(state.id, node)
    if (state.parent === undefined) root = node
    else nodes.get(state.parent)?.children?.push(node)
  }
  return root as ElkNode
}

/** Transitions between the same two states go the same way: drawn apart, they take three times the room. */
const wayOf = ({ source, target }: DrawnEdge): string => `${source}→${target}`

function toElkEdge([id, edges]: [string, readonly DrawnEdge[]]): ElkExtendedEdge {
  const { source, target } = edges[0] as DrawnEdge
  const lines = edges.flatMap((edge) => edge.lines)
  return {
    id,
    sources: [source],
    targets: [target],
    ...(lines.length === 0
      ? {}
      : {
          labels: [
            {
              text: lines.join('\n'),
              width: Math.max(...lines.map(widthOf)) + 6,
              height: edges.reduce((sum, edge) => sum + heightOf(edge), 0),
            },
          ],
        }),
  }
}

/** Of its label. */
const heightOf = ({ lines }: DrawnEdge): number => LINE_HEIGHT * lines.length + 2

interface Placed {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** Elk's coordinates are relative to the parent. */
function placeNodes(
  laidOut: ElkNode,
  states: readonly DrawnState[],
): { nodes: ChartNode[]; boxes: ReadonlyMap<string, Placed> } {
  const boxes = new Map<string, Placed>()
  const visit = (
    { id, x = 0, y = 0, width = 0, height = 0, children = [] }: ElkNode,
    left: number,
    top: number,
  ) => {
    boxes.set(id, { x: round(left + x), y: round(top + y), width: round(width), height: round(height) })
    for (const child of children) visit(child, left + x, top + y)
  }
  visit(laidOut, 0, 0)
  const nodes = states.map((state) => ({ ...state, ...(boxes.get(state.id) as Placed) }))
  return { nodes, boxes }
}

/** The transitions of a way, each with its part of the label. */
function placeEdges(way: ElkExtendedEdge, edges: readonly DrawnEdge[]): [DrawnEdge, ChartEdge][] {
  const section = way.sections?.[0]
  const points =
    section === undefined ? [] : [section.startPoint, ...(section.bendPoints ?? []), section.endPoint]
  const { x = 0, y: top = 0, width = 0 } = way.labels?.[0] ?? {}
  let y = top
  return edges.map((drawn) => {
    const { lines, ...edge } = drawn
    const height = heightOf(drawn)
    const label = { x: round(x), y: round(y), width: round(width), height: round(height), lines }
    y += height
    return [
      drawn,
      {
        ...edge,
        points: points.map((point) => ({ x: round(point.x), y: round(point.y) })),
        ...(lines.length === 0 ? {} : { label }),
      },
    ]
  })
}

const round = (value: number): number => Math.round(value * 10) / 10
