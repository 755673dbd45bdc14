import type { StandardSchemaV1 } from '@standard-schema/spec'
import { EspalierError } from './errors.ts'
import type { Execute, JobResult } from './job.ts'
import type { Budget, Decision, NodeSpec, RunReason, Strategy, Tree, TreeLimits, TreeNode } from './tree.ts'

/** What `expand` is asked with, after a node has completed or failed. */
export interface ExpandRequest<Input = unknown> {
  readonly node: TreeNode
  /** The result of the node's job. */
  readonly result: JobResult
  /** The tree as it is now; it changes while `expand` awaits. */
  readonly tree: Tree
  readonly budget: Budget
  /** The run's validated input. */
  readonly input: Input
  /** Aborted when the answer is no longer wanted: the run has ended, or `expandTimeoutMs` is over. */
  readonly signal: AbortSignal
}

/** What `expand` may answer: nothing means `stop()`. */
// biome-ignore lint/suspicious/noConfusingVoidType: a function that returns nothing answers too.
export type ExpandAnswer = Decision | undefined | null | void

/** A workflow: what a user writes, and a module's default export. */
export interface Workflow<Input = unknown> {
  readonly name: string
  /** Validates the input of a run: zod, valibot, or any Standard Schema. Without it, any input is taken as it is. */
  readonly input?: StandardSchemaV1<unknown, Input>
  /** By name; each is called with `(input, context)`. */
  readonly handlers: Readonly<Record<string, Execute>>
  readonly limits?: Partial<TreeLimits>
  /** Default `'best-first'`. */
  readonly strategy?: Strategy
  /** Whether any node that failed for good fails the run. Default `false`: only a root does. */
  readonly failFast?: boolean
  /** What `satisfy` does to running jobs: let them end, or cancel them. Default `'drain'`. */
  readonly onSatisfied?: 'drain' | 'cancel'
  /** The first node or nodes. */
  readonly root: (input: Input) => NodeSpec | readonly NodeSpec[]
  /** Decides how the tree grows; may be asynchronous. Without it, the roots are the whole tree. */
  readonly expand?: (request: ExpandRequest<Input>) => ExpandAnswer | Promise<ExpandAnswer>
}

/** How a run ended, and the tree it grew. */
export interface RunOutcome {
  readonly runId: string
  readonly status: 'completed' | 'failed' | 'cancelled'
  readonly reason: RunReason
  /** What `satisfy` was given. */
  readonly value: unknown
  /** Why the run failed: the error of the node that made it fail. */
  readonly error: Error | undefined
  readonly tree: Tree
  readonly metrics: RunMetrics
}

export interface RunMetrics {
  readonly startedAt: number
  readonly endedAt: number
  readonly durationMs: number
  readonly nodes: number
  readonly completed: number
  readonly failed: number
  readonly cancelled: number
  readonly revisions: number
  /** How many decisions `expand` gave. */
  readonly decisions: number
}

/**
 * Checks a workflow and returns it; the types of `input`, `root` and `expand` follow from the schema.
 *
 * @throws {EspalierError} `ESP_INVALID_WORKFLOW` when a part is missing or of the wrong kind.
 */
export function defineWorkflow<Input>(workflow: Workflow<Input>): Workflow<Input> {
  checkWorkflow(workflow)
  return workflow
}

/** Refuses anything that is not a workflow, such as the default export of some other module. */
export function checkWorkflow(value: unknown): asserts value is Workflow {
  const workflow = value as Partial<Workflow> | null | undefined
  const refuse = (expected: string, got: unknown) => {
    throw new EspalierError('ESP_INVALID_WORKFLOW', { expected, got })
  }
  if (typeof workflow !== 'object' || workflow === null) return refuse('the form of an object', value)
  if (typeof workflow.name !== 'string' || workflow.name === '') return refuse('a `name`', workflow.name)
  if (typeof workflow.handlers !== 'object' || workflow.handlers === null) {
    return refuse('an object of `handlers`', workflow.handlers)
  }
  if (typeof workflow.root !== 'function') return refuse('a function `root`', workflow.root)
  if (workflow.expand !== undefined && typeof workflow.expand !== 'function') {
    return refuse('a function `expand`, or none', workflow.expand)
  }
  if (workflow.strategy !== undefined && !STRATEGIES.includes(workflow.strategy)) {
    return refuse(`a \`strategy\` out of ${STRATEGIES.join(', ')}`, workflow.strategy)
  }
  if (workflow.onSatisfied !== undefined && !ON_SATISFIED.includes(workflow.onSatisfied)) {
    return refuse("'drain' or 'cancel' as `onSatisfied`", workflow.onSatisfied)
  }
  if (workflow.failFast !== undefined && typeof workflow.failFast !== 'boolean') {
    return refuse('a boolean `failFast`', workflow.failFast)
  }
  if (workflow.input !== undefined && workflow.input['~standard'] === undefined) {
    return refuse('a Standard Schema as `input`', workflow.input)
  }
}

const ON_SATISFIED: readonly unknown[] = ['drain', 'cancel']
const STRATEGIES: readonly Strategy[] = ['depth-first', 'breadth-first', 'best-first']
