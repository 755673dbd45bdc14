import type { Tree } from 'espalier'
import { describeAlgorithm } from './cluster.ts'
import { type Finding, findings } from './survey.ts'
import type { Clustering } from './values.ts'

/** A clustering as the run reports it. */
export interface Answer extends Clustering {
  readonly nodeId: string
  /** The steps that lead to it, such as `standard → pca → k-means, 3 groups`. */
  readonly pipeline: string
}

/** What the run is satisfied with. */
export interface Report {
  /** The clustering with the highest score. */
  readonly winner: Answer
  /**
   * The best clustering for each number of groups, fewest first; none that chance does as well.
   *
   * The clearest structure need not be the one somebody looks for: that may be second.
   */
  readonly leaders: readonly Answer[]
  /** How many clusterings were scored. */
  readonly tried: number
}

/**
 * Sums up a tree of at least one scored clustering.
 *
 * @throws {RangeError} When there is none.
 */
export function report(tree: Tree): Report {
  const answers = findings(tree).map(toAnswer)
  const winner = answers[0]
  if (winner === undefined)
    throw new RangeError('Expected at least one scored clustering, but the tree has none.')
  const leaders = new Map<number, Answer>()
  for (const answer of answers) {
    if (answer.score > 0 && !leaders.has(answer.groups.length)) leaders.set(answer.groups.length, answer)
  }
  return {
    winner,
    leaders: [...leaders.values()].sort((a, b) => a.groups.length - b.groups.length),
    tried: answers.length,
  }
}

function toAnswer({ node, clustering }: Finding): Answer {
  const { scaling, projection, algorithm } = clustering
  const pipeline = [scaling, projection, describeAlgorithm(algorithm)].join(' → ')
  return { nodeId: node.id, pipeline, ...clustering }
}
