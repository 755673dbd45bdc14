import Elk, { type ElkExtendedEdge, type ElkNode, type LayoutOptions } from 'elkjs/lib/elk.bundled.js'
import type { AnyStateMachine } from 'xstate'
import type { Chart, ChartEdge, ChartLayout, ChartNode } from '../protocol/chart.ts'
import { type Description, type DrawnEdge, type DrawnState, describeMachine, hashOf } from './describe.ts'
import { HEADER_HEIGHT, LINE_HEIGHT, linesOf, sizeOf, widthOf } from './measure.ts'

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
  const laidOut = await elk.layout({ ...root, edges: edges.map(toElkEdge) })
  const { nodes, boxes } = placeNodes(laidOut, states)
  const placed = edges.map((edge) => placeEdge(edge, laidOut.edges ?? []))
  const own = boxes.get(laidOut.id)
  return { width: Math.ceil(own?.width ?? 0), height: Math.ceil(own?.height ?? 0), nodes, edges: placed }
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
  'elk.layered.spacing.nodeNodeBetweenLayers': '34',
  'elk.layered.spacing.edgeNodeBetweenLayers': '14',
  'elk.spacing.nodeNode': '26',
  'elk.spacing.edgeNode': '16',
  'elk.spacing.edgeEdge': '10',
  'elk.spacing.edgeLabel': '4',
  'elk.padding': '[top=24,left=18,bottom=18,right=18]',
})

function toElk(states: readonly DrawnState[], direction: Direction): ElkNode {
  const nodes = new Map<string, ElkNode>()
  let root: ElkNode | undefined
  for (const state of states) {
    const isCompound = state.kind === 'compound' || state.kind === 'parallel'
    const { width, height } = sizeOf(state)
    const header = HEADER_HEIGHT + LINE_HEIGHT * linesOf(state).length + 12
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

function toElkEdge(edge: DrawnEdge): ElkExtendedEdge {
  const { id, source, target, lines } = edge
  return {
    id: `${id}→${target}`,
    sources: [source],
    targets: [target],
    ...(lines.length === 0
      ? {}
      : {
          labels: [
            {
              text: lines.join('\n'),
              width: Math.max(...lines.map(widthOf)) + 6,
              height: LINE_HEIGHT * lines.length + 2,
            },
          ],
        }),
  }
}

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

function placeEdge({ lines, ...edge }: DrawnEdge, laidOut: readonly ElkExtendedEdge[]): ChartEdge {
  const found = laidOut.find(({ id }) => id === `${edge.id}→${edge.target}`)
  const section = found?.sections?.[0]
  const points =
    section === undefined ? [] : [section.startPoint, ...(section.bendPoints ?? []), section.endPoint]
  const label = found?.labels?.[0]
  return {
    ...edge,
    points: points.map(({ x, y }) => ({ x: round(x), y: round(y) })),
    ...(label === undefined
      ? {}
      : {
          label: {
            x: round(label.x ?? 0),
            y: round(label.y ?? 0),
            width: round(label.width ?? 0),
            height: round(label.height ?? 0),
            lines,
          },
        }),
  }
}

const round = (value: number): number => Math.round(value * 10) / 10
