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
} from 'espalier'
import { type Algorithm, CORE_NEIGHBOURS, describeAlgorithm } from './cluster.ts'
import type { Projection } from './project.ts'
import { radiusFault } from './radius.ts'
import { report } from './report.ts'
import type { Scaling } from './scale.ts'
import {
  clusteringOf,
  findings,
  hasStoppedImproving,
  isProbe,
  isPromising,
  parent,
  poorNodes,
  projectedOf,
} from './survey.ts'
import type { ClusterInput, Settings } from './values.ts'

/** What the decision is made from. */
export type Situation = Omit<ExpandRequest<Settings>, 'signal'>

const SCALINGS: readonly Scaling[] = ['standard', 'unit', 'none']

/** The projections, with a guess at the score they lead to: what costs more waits until others have shown theirs. */
const PROJECTIONS: readonly { readonly projection: Projection; readonly hope: number }[] = [
  { projection: 'raw', hope: 0.9 },
  { projection: 'pca', hope: 0.7 },
  { projection: 'umap', hope: 0.5 },
]

/** The first clusterings of each kind; the radius is where a textbook starts, and the data may refuse it. */
const PROBES: readonly { readonly kind: string; readonly algorithm: Algorithm }[] = [
  { kind: 'k-means 2', algorithm: { method: 'k-means', groups: 2 } },
  { kind: 'k-means 3', algorithm: { method: 'k-means', groups: 3 } },
  { kind: 'ward 2', algorithm: { method: 'hierarchical', linkage: 'ward', groups: 2 } },
  { kind: 'density', algorithm: { method: 'density', radius: 0.5, neighbours: CORE_NEIGHBOURS } },
]

/** These go before further projections: they decide whether those are worth it. */
const PROBE_HOPE = 0.95

/** What a radius is multiplied or divided by, to correct it and to try a neighbour. */
const RADIUS_STEP = 1.5

/** A clustering that gains less than this over the one it came from is not followed further. */
const LEAST_GAIN = 0.02

/**
 * Decides how the analysis goes on after a node: tries the choices of the next step, follows clusterings that gain,
 * corrects a radius that failed, prunes what turned out poor, and ends when the score has stopped improving.
 *
 * A pure function of the tree; the known species play no part in it.
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
  const specs = PROJECTIONS.map(({ projection, hope }) =>
    node({
      handler: 'project',
      key: `${asked.key}/${projection}`,
      label: projection,
      input: { rowsNode: asked.id, projection, settings: input },
      score: hope,
    }),
  )
  return grow(specs, 'try every projection, the cheap ones first')
}

function afterProjection(situation: Situation): Decision {
  const { node: asked } = situation
  const specs = PROBES.map(({ kind, algorithm }) =>
    clusterSpec(situation, {
      pointsNode: asked.id,
      key: `${asked.key}/${kind}`,
      algorithm,
      score: PROBE_HOPE,
    }),
  )
  return grow(specs, 'try each kind of clustering')
}

function afterClustering(situation: Situation): Decision {
  const { node: asked, tree, budget } = situation
  const clustering = clusteringOf(asked)!
  const { score } = clustering
  const best = findings(tree)[0]?.clustering.score ?? 0
  const origin = originOf(situation)
  if (!isPromising(score, best)) return conclude(situation, `poor beside the best, ${best}`, score)
  if (origin !== undefined && score < origin.score + LEAST_GAIN) {
    return conclude(situation, `gains nothing over ${origin.score}`, score)
  }
  // Children at the last depth would never be asked about, and the run would end without an answer.
  if (budget.nodes === 0 || budget.depth < 2) return conclude(situation, 'the limits allow no more', score)

  const { pointsNode } = asked.input as ClusterInput
  const known = new Set(Object.values(tree.nodes).map((other) => other.key))
  const specs = neighboursOf(asked.key!, clustering.algorithm, origin?.algorithm)
    .filter(({ key }) => !known.has(key))
    .map(({ key, algorithm }) => clusterSpec(situation, { pointsNode, key, algorithm, score }))
  if (specs.length === 0) return conclude(situation, 'all neighbours are known', score)
  const why = score === best ? 'the best so far: try its neighbours' : 'promising: try its neighbours'
  return grow(specs, { why, score })
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

/** Answers for a node that grows no further: the end of the run, if this was all, or a cut elsewhere. */
function conclude({ node: asked, tree }: Situation, why: string, score?: number): Decision {
  const options = { why, ...(score !== undefined && { score }) }
  if (hasStoppedImproving(tree, asked)) {
    return satisfy(report(tree), { ...options, why: `${why}; the score has stopped improving` })
  }
  const poor = poorNodes(tree)
  if (poor.length === 0) return stop(options)
  return prune(
    poor.map((other) => other.id),
    { ...options, why: `${why}; prunes ${poor.length} poor ${poor.length === 1 ? 'one' : 'ones'}` },
  )
}

/** The clusterings next to one: one group more, the other linkage, a wider or narrower radius. */
function neighboursOf(
  key: string,
  algorithm: Algorithm,
  origin: Algorithm | undefined,
): readonly { readonly key: string; readonly algorithm: Algorithm }[] {
  const prefix = key.slice(0, key.lastIndexOf('/'))
  switch (algorithm.method) {
    case 'k-means': {
      const groups = algorithm.groups + 1
      return [{ key: `${prefix}/k-means ${groups}`, algorithm: { ...algorithm, groups } }]
    }
    case 'hierarchical': {
      const groups = algorithm.groups + 1
      const linkage = algorithm.linkage === 'ward' ? 'average' : 'ward'
      return [
        { key: `${prefix}/${algorithm.linkage} ${groups}`, algorithm: { ...algorithm, groups } },
        { key: `${prefix}/${linkage} ${algorithm.groups}`, algorithm: { ...algorithm, linkage } },
      ]
    }
    case 'density': {
      const { radius } = algorithm
      const cameFrom = origin?.method === 'density' ? origin.radius : radius
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

/** The clustering this one is a neighbour of; absent for a probe. */
function originOf({ node: asked, tree }: Situation) {
  const above = parent(tree, asked)
  return above === undefined ? undefined : clusteringOf(above)
}

function clusterSpec(
  { node: asked, tree, input }: Situation,
  spec: {
    readonly pointsNode: string
    readonly key: string
    readonly algorithm: Algorithm
    readonly score: number
  },
): NodeSpec {
  const { pointsNode, key, algorithm, score } = spec
  const truthNode = tree.rootIds[0]!
  const clusterInput: ClusterInput = { pointsNode, truthNode, algorithm, seed: input.seed }
  const dependencies = [pointsNode, truthNode].filter((id) => id !== asked.id)
  return node({
    handler: 'cluster',
    key,
    label: describeAlgorithm(algorithm),
    input: clusterInput,
    score,
    dependencies,
  })
}
