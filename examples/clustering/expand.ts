import {
  type Decision,
  type ExpandRequest,
  grow,
  type NodeSpec,
  node,
  prune,
  revise,
  satisfy,
  stop,
  type TreeNode,
} from 'espalier'
import { type Algorithm, CORE_NEIGHBOURS, describeAlgorithm } from './cluster.ts'
import type { Projection } from './project.ts'
import { radiusFault } from './radius.ts'
import { report } from './report.ts'
import type { Scaling } from './scale.ts'
import { clusteringOf, hasStoppedImproving, isProbe, parent, projectedOf, siblings } from './survey.ts'
import type { ClusterInput, ProjectInput, Settings } from './values.ts'

/** What the decision is made from. */
export type Situation = Omit<ExpandRequest<Settings>, 'signal'>

const SCALINGS: readonly Scaling[] = ['standard', 'unit', 'none']

/** What the scaled data is laid out as besides `raw`, with a guess at the score it leads to: what costs more comes last. */
const FURTHER_PROJECTIONS: readonly { readonly projection: Projection; readonly hope: number }[] = [
  { projection: 'pca', hope: 0.7 },
  { projection: 'umap', hope: 0.5 },
]

interface Probe {
  readonly kind: string
  readonly algorithm: Algorithm
}

/** The clustering that the others of a projection wait for, and are compared with. */
const FIRST_LOOK: Probe = { kind: 'k-means 2', algorithm: { method: 'k-means', groups: 2 } }

/** The others; the radius is where a textbook starts, and the data may refuse it. */
const FURTHER_PROBES: readonly Probe[] = [
  { kind: 'k-means 3', algorithm: { method: 'k-means', groups: 3 } },
  { kind: 'ward 2', algorithm: { method: 'hierarchical', linkage: 'ward', groups: 2 } },
  { kind: 'density', algorithm: { method: 'density', radius: 0.5, neighbours: CORE_NEIGHBOURS } },
]

/** Clusterings go before further projections. */
const PROBE_HOPE = 0.95

/** A first look that scores less sees hardly more than chance does. */
const POOR = 0.1

/** A clustering that gains less than this over the one it came from is not followed further. */
const LEAST_GAIN = 0.02

/** What a radius is multiplied or divided by, to correct it and to try a neighbour. */
const RADIUS_STEP = 1.5

/**
 * Decides how the analysis goes on after a node: tries the choices of the next step, prunes what a poor first look
 * makes hopeless, follows clusterings that gain, corrects a radius that failed, and ends when the score has stopped
 * improving.
 *
 * A node is judged by what it came from and what it waited for, never by what else happens to have ended: so the tree
 * is the same in whatever order results arrive. The known species play no part in it.
 */
export function expand(situation: Situation): Decision {
  if (situation.result.status === 'failed') return afterFailure(situation)
  switch (situation.node.handler) {
    case 'load':
      return afterLoad(situation)
    case 'scale':
      return afterScaling(situation)
    case 'project':
      return afterProjection(situation)
    default:
      return afterClustering(situation)
  }
}

function afterLoad({ node: asked }: Situation): Decision {
  const specs = SCALINGS.map((scaling) =>
    node({
      handler: 'scale',
      key: scaling,
      label: scaling,
      input: { dataNode: asked.id, scaling },
      score: 1,
    }),
  )
  return grow(specs, 'try every scaling')
}

function afterScaling({ node: asked, input }: Situation): Decision {
  const projectInput: ProjectInput = { rowsNode: asked.id, projection: 'raw', settings: input }
  const raw = node({
    handler: 'project',
    key: `${asked.key}/raw`,
    label: 'raw',
    input: projectInput,
    score: 1,
  })
  return grow([raw], 'see what the measurements show as they are')
}

/** The raw layout grows the other projections too: they are worth their time only where it shows something. */
function afterProjection(situation: Situation): Decision {
  const { node: asked } = situation
  const probe = ({ kind, algorithm }: Probe, waitsFor: readonly string[] = []) => {
    const key = `${asked.key}/${kind}`
    return clusterSpec(situation, { pointsNode: asked.id, key, algorithm, score: PROBE_HOPE, waitsFor })
  }
  const firstLook = probe(FIRST_LOOK)
  const others = FURTHER_PROBES.map((each) => probe(each, [firstLook.key!]))
  const { projection, rowsNode, settings } = asked.input as ProjectInput
  if (projection !== 'raw') return grow([firstLook, ...others], 'try each kind of clustering')

  const scaling = parent(situation.tree, asked)!
  const projections = FURTHER_PROJECTIONS.map((further) => {
    const input: ProjectInput = { rowsNode, projection: further.projection, settings }
    return node({
      handler: 'project',
      key: `${scaling.key}/${further.projection}`,
      label: further.projection,
      input,
      score: further.hope,
      dependencies: [rowsNode, firstLook.key!],
    })
  })
  return grow([firstLook, ...others, ...projections], 'try each kind of clustering, then other projections')
}

function afterClustering(situation: Situation): Decision {
  const { node: asked, budget } = situation
  const { score, algorithm } = clusteringOf(asked)!
  const origin = originOf(situation)
  if (origin === undefined) return afterFirstLook(situation, score)
  const gain = Number((score - origin.score).toFixed(4))
  if (origin.score < POOR && score < POOR) return conclude(situation, 'hardly more than chance', score)
  if (gain < LEAST_GAIN) return conclude(situation, `gains nothing over ${origin.score}`, score)
  // Children at the last depth would never be asked about, and the run would end without an answer.
  if (budget.nodes === 0 || budget.depth < 2) return conclude(situation, 'the limits allow no more', score)

  const { pointsNode } = asked.input as ClusterInput
  const specs = neighboursOf(situation, algorithm, origin.algorithm).map((neighbour) =>
    clusterSpec(situation, { pointsNode, score, ...neighbour }),
  )
  if (specs.length === 0) return conclude(situation, 'all neighbours are known', score)
  return grow(specs, { why: `gains ${gain} over ${origin.score}: try its neighbours`, score })
}

/**
 * Where two round groups are hardly clearer than in shuffled data, what else waits for this is not worth its time.
 *
 * The density-based clustering is tried all the same: it sees groups of any shape.
 */
function afterFirstLook(situation: Situation, score: number): Decision {
  const { node: asked, tree } = situation
  if (score >= POOR) return conclude(situation, 'the first look: others are compared with it', score)
  const hopeless = siblings(tree, asked).filter((other) => !isDensityBased(other))
  if (hopeless.length === 0) return conclude(situation, 'hardly more than chance', score)
  const why = `hardly more than chance; prunes the ${hopeless.length} that wait for it`
  return prune(
    hopeless.map((other) => other.id),
    { why, score },
  )
}

/**
 * Corrects the radius of a probe: first to the spacing of the points themselves, then step by step.
 *
 * A neighbour that fails is left: it only shows that its origin stood at the edge.
 */
function afterFailure(situation: Situation): Decision {
  const { node: asked, result, tree, budget } = situation
  const fault = radiusFault(result.error)
  const input = asked.input as ClusterInput
  if (fault === undefined || input.algorithm.method !== 'density' || !isProbe(tree, asked)) {
    return conclude(situation, 'failed for good')
  }
  if (budget.revisions === 0) return conclude(situation, `the radius is still ${fault}`)

  const { radius } = input.algorithm
  const spacing = projectedOf(tree, asked)?.spacing ?? radius
  const isRightWay = fault === 'too small' ? spacing > radius : spacing < radius
  const step = fault === 'too small' ? RADIUS_STEP : 1 / RADIUS_STEP
  const corrected = isRightWay && asked.revisions === 0 ? spacing : stepRadius(radius, step)
  const algorithm = { ...input.algorithm, radius: corrected }
  const patch = { label: describeAlgorithm(algorithm), input: { ...input, algorithm } }
  return revise(patch, `a radius of ${radius} is ${fault}`)
}

/** Answers for a node that grows no further: the end of the run, if this was all. */
function conclude({ node: asked, tree }: Situation, why: string, score?: number): Decision {
  const options = { why, ...(score !== undefined && { score }) }
  if (!hasStoppedImproving(tree, asked)) return stop(options)
  return satisfy(report(tree), { ...options, why: `${why}; the score has stopped improving` })
}

/**
 * The clusterings next to one: one group more, the other linkage, a wider or narrower radius.
 *
 * Each has one way that leads to it, so that it does not matter who comes first: the linkage changes once, and three
 * groups by k-means are a probe.
 */
function neighboursOf(
  { node: asked, tree }: Situation,
  algorithm: Algorithm,
  origin: Algorithm,
): readonly { readonly key: string; readonly algorithm: Algorithm }[] {
  const key = asked.key!
  const prefix = key.slice(0, key.lastIndexOf('/'))
  switch (algorithm.method) {
    case 'k-means': {
      const groups = algorithm.groups + 1
      return [{ key: `${prefix}/k-means ${groups}`, algorithm: { ...algorithm, groups } }]
    }
    case 'hierarchical': {
      const { linkage } = algorithm
      const groups = algorithm.groups + 1
      const more = { key: `${prefix}/${linkage} ${groups}`, algorithm: { ...algorithm, groups } }
      if (!isProbe(tree, asked)) return [more]
      const other: Algorithm = { ...algorithm, linkage: linkage === 'ward' ? 'average' : 'ward' }
      return [more, { key: `${prefix}/${other.linkage} ${other.groups}`, algorithm: other }]
    }
    case 'density': {
      const { radius } = algorithm
      const cameFrom = origin.method === 'density' ? origin.radius : radius
      const wider = {
        key: `${key} wider`,
        algorithm: { ...algorithm, radius: stepRadius(radius, RADIUS_STEP) },
      }
      const narrower = {
        key: `${key} narrower`,
        algorithm: { ...algorithm, radius: stepRadius(radius, 1 / RADIUS_STEP) },
      }
      return [...(radius >= cameFrom ? [wider] : []), ...(radius <= cameFrom ? [narrower] : [])]
    }
  }
}

/** A multiple of a radius, to four figures: a radius is a choice, not a measurement. */
function stepRadius(radius: number, factor: number): number {
  return Number((radius * factor).toPrecision(4))
}

/**
 * The clustering that one is compared with: the one it is a neighbour of, or the first look of its projection; absent
 * for the first look itself. It has completed before this one started.
 */
function originOf({ node: asked, tree }: Situation) {
  if (!isProbe(tree, asked)) return clusteringOf(parent(tree, asked)!)
  const firstLook = siblings(tree, asked).find(({ key }) => key?.endsWith(`/${FIRST_LOOK.kind}`))
  return firstLook && clusteringOf(firstLook)
}

function isDensityBased({ handler, input }: TreeNode): boolean {
  return handler === 'cluster' && (input as ClusterInput).algorithm.method === 'density'
}

function clusterSpec(
  { node: asked, tree, input }: Situation,
  spec: {
    readonly pointsNode: string
    readonly key: string
    readonly algorithm: Algorithm
    readonly score: number
    readonly waitsFor?: readonly string[]
  },
): NodeSpec {
  const { pointsNode, key, algorithm, score, waitsFor = [] } = spec
  const truthNode = tree.rootIds[0]!
  const clusterInput: ClusterInput = { pointsNode, truthNode, algorithm, seed: input.seed }
  const dependencies = [pointsNode, truthNode].filter((id) => id !== asked.id)
  return node({
    handler: 'cluster',
    key,
    label: describeAlgorithm(algorithm),
    input: clusterInput,
    score,
    dependencies: [...dependencies, ...waitsFor],
  })
}
