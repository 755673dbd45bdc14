import { setImmediate } from 'node:timers/promises'
import type { HandlerContext } from 'espalier'
import { CORE_NEIGHBOURS, cluster as groupPoints } from './cluster.ts'
import { type Dataset, loadPenguins } from './data.ts'
import { type Points, round } from './geometry.ts'
import { project as layOut, shuffleColumns, typicalSpacing } from './project.ts'
import { requireGroups } from './radius.ts'
import { createRandom, resample } from './random.ts'
import { scale as scaleRows } from './scale.ts'
import { adjustedRandIndex, adjustForChance, countBy, mean, NOISE, silhouette } from './scores.ts'
import type {
  ClusterInput,
  Clustering,
  Group,
  LoadInput,
  Projected,
  ProjectInput,
  Scaled,
  ScaleInput,
} from './values.ts'

/** Loads the penguins and leaves out the incomplete records. */
export async function load(input: LoadInput, context: HandlerContext): Promise<Dataset> {
  const data = await loadPenguins({ ...input, signal: context.signal })
  context.log(`${data.rows.length} penguins from ${data.source}; ${data.dropped} incomplete records left out`)
  return data
}

/** Makes the measurements comparable, or leaves them as they are. */
export function scale(input: ScaleInput, context: HandlerContext): Scaled {
  const { rows } = resultOf<Dataset>(context, input.dataNode)
  return { scaling: input.scaling, rows: roundAll(scaleRows(rows, input.scaling)) }
}

/** Lays the penguins out, and with the same steps the shuffled and the resampled copies to judge by. */
export async function project(input: ProjectInput, context: HandlerContext): Promise<Projected> {
  const { scaling, rows } = resultOf<Scaled>(context, input.rowsNode)
  const { seed, umapEpochs, shuffleRounds, bootstrapRounds } = input.settings
  const layouts = 1 + shuffleRounds + bootstrapRounds
  let done = 0
  const layOutNext = async (points: Points, copy: string) => {
    const laidOut = await layOut(points, input.projection, {
      epochs: umapEpochs,
      random: createRandom(seed, `${scaling} ${input.projection} ${copy}`),
      pause: () => pause(context),
    })
    await pause(context)
    context.progress(++done / layouts, copy)
    return roundAll(laidOut)
  }

  const points = await layOutNext(rows, 'all penguins')
  // Which rows are drawn, and how columns are shuffled, is the same for every pipeline.
  const shuffled: Points[] = []
  for (let round = 1; round <= shuffleRounds; round++) {
    const copy = `shuffle ${round}`
    shuffled.push(await layOutNext(shuffleColumns(rows, createRandom(seed, copy)), copy))
  }
  const resamples: { rows: number[]; points: Points }[] = []
  for (let round = 1; round <= bootstrapRounds; round++) {
    const copy = `resample ${round}`
    const drawn = resample(rows.length, createRandom(seed, copy))
    const drawnRows = drawn.map((row) => rows[row]!)
    resamples.push({ rows: drawn, points: await layOutNext(drawnRows, copy) })
  }
  const spacing = round(typicalSpacing(points, CORE_NEIGHBOURS))
  return { scaling, projection: input.projection, points, spacing, shuffled, resamples }
}

/**
 * Groups the laid-out penguins, and measures how good the groups are.
 *
 * @throws {Error} When a density-based clustering finds fewer than two groups; see {@link requireGroups}.
 */
export async function cluster(input: ClusterInput, context: HandlerContext): Promise<Clustering> {
  const projected = resultOf<Projected>(context, input.pointsNode)
  const { species } = resultOf<Dataset>(context, input.truthNode)
  const { points, shuffled, resamples, scaling, projection } = projected
  const { algorithm } = input
  const group = (laidOut: Points, copy: string) =>
    groupPoints(laidOut, algorithm, createRandom(input.seed, copy))

  const labels = group(points, 'all penguins')
  requireGroups(labels, algorithm)
  const copies = shuffled.length + resamples.length
  const chances: number[] = []
  for (const [round, copy] of shuffled.entries()) {
    await pause(context)
    chances.push(silhouette(copy, group(copy, `shuffle ${round}`)))
    context.progress(chances.length / copies, `shuffle ${round + 1}`)
  }
  const agreements: number[] = []
  for (const [round, copy] of resamples.entries()) {
    await pause(context)
    const expected = copy.rows.map((row) => labels[row]!)
    agreements.push(adjustedRandIndex(expected, group(copy.points, `resample ${round}`)))
    context.progress((shuffled.length + agreements.length) / copies, `resample ${round + 1}`)
  }

  const separation = silhouette(points, labels)
  // That chance does badly is no merit.
  const chanceSilhouette = Math.max(0, mean(chances))
  const stability = Math.max(0, mean(agreements))
  return {
    scaling,
    projection,
    algorithm,
    groups: describeGroups(labels, species),
    noise: labels.filter((label) => label === NOISE).length,
    silhouette: round(separation),
    chanceSilhouette: round(chanceSilhouette),
    stability: round(stability),
    score: round(Math.max(0, adjustForChance(separation, chanceSilhouette)) * stability),
    adjustedRandIndex: round(adjustedRandIndex(labels, species)),
  }
}

/** Finds what another node of the tree answered, the parent or a dependency. */
function resultOf<Value>(context: HandlerContext, nodeId: string): Value {
  const value = context.parentResults[nodeId]
  if (value === undefined) {
    throw new Error(
      `Expected the result of node "${nodeId}" among the parent results, but only have ` +
        `${Object.keys(context.parentResults).join(', ') || 'none'}. Name it as a dependency.`,
    )
  }
  return value as Value
}

/** Lets other jobs and the display have a turn, then gives up if the attempt was aborted. */
async function pause(context: HandlerContext): Promise<void> {
  await setImmediate()
  context.signal.throwIfAborted()
}

function roundAll(points: Points): Points {
  return points.map((point) => point.map(round))
}

function describeGroups(labels: readonly number[], species: readonly string[]): Group[] {
  const groups = Map.groupBy(species.keys(), (row) => labels[row]!)
  groups.delete(NOISE)
  return [...groups.values()]
    .map((rows) => ({
      size: rows.length,
      species: Object.fromEntries(countBy(rows.map((row) => species[row]!))),
    }))
    .sort((a, b) => b.size - a.size)
}
