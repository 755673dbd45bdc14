import type { StandardSchemaV1 } from '@standard-schema/spec'
import { checkKeys, checkName } from './check.ts'
import type { Decision } from './decision.ts'
import { EspalierError } from './errors.ts'
import { type Execute, isExecute, type JobResult } from './job.ts'
import { type Budget, resolveLimits, type TreeLimits } from './limits.ts'
import { checkSettings, type JobSettings, type NodeSpec } from './node-spec.ts'
import type { RunReason, Strategy, Tree, TreeNode } from './tree.ts'

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

type Roots = NodeSpec | readonly NodeSpec[]

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
  /** The executor of nodes whose spec and whose handler's `defaults` name none. Default: the pool's own. */
  readonly executor?: string
  /** By handler: what holds for nodes of it that do not say otherwise. */
  readonly defaults?: Readonly<Record<string, JobSettings>>
  readonly limits?: Partial<TreeLimits>
  /** Default `'best-first'`. */
  readonly strategy?: Strategy
  /** Whether any node that failed for good fails the run. Default `false`: only a root does. */
  readonly failFast?: boolean
  /** What `satisfy` does to running jobs: let them end, or cancel them. Default `'drain'`. */
  readonly onSatisfied?: 'drain' | 'cancel'
  /** The first node or nodes; may be asynchronous. */
  readonly root: (input: Input) => Roots | Promise<Roots>
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
 * @throws {EspalierError} `ESP_INVALID_WORKFLOW` when a part is missing or of the wrong kind; `ESP_UNKNOWN_OPTION`,
 * `ESP_UNKNOWN_HANDLER` and `ESP_INVALID_OPTION` for what its parts say.
 */
export function defineWorkflow<Input>(workflow: Workflow<Input>): Workflow<Input> {
  checkWorkflow(workflow)
  return workflow
}

/** Refuses anything that is not a workflow, such as the default export of some other module. */
export function checkWorkflow(value: unknown): asserts value is Workflow {
  const workflow = value as Partial<Workflow> | null | undefined
  if (typeof workflow !== 'object' || workflow === null) return refuse('the form of an object', value)
  const { name, input, handlers, executor, defaults, limits, strategy, failFast, onSatisfied, root, expand } =
    workflow
  if (typeof name !== 'string' || name === '' || !name.isWellFormed()) refuse('a `name`', name)
  checkHandlers(handlers)
  if (typeof root !== 'function') refuse('a function `root`', root)
  if (expand !== undefined && typeof expand !== 'function') refuse('a function `expand`, or none', expand)
  if (strategy !== undefined && !STRATEGIES.includes(strategy)) {
    refuse(`a \`strategy\` out of ${STRATEGIES.join(', ')}`, strategy)
  }
  if (onSatisfied !== undefined && !ON_SATISFIED.includes(onSatisfied)) {
    refuse("'drain' or 'cancel' as `onSatisfied`", onSatisfied)
  }
  if (failFast !== undefined && typeof failFast !== 'boolean') refuse('a boolean `failFast`', failFast)
  if (input !== undefined && typeof input?.['~standard']?.validate !== 'function') {
    refuse('a Standard Schema as `input`', input)
  }
  checkKeys('a workflow', workflow, PART_NAMES)
  if (executor !== undefined) checkName('executor', executor)
  resolveLimits(limits)
  if (defaults !== undefined) checkDefaults(defaults, handlers)
}

function checkHandlers(handlers: unknown): asserts handlers is Workflow['handlers'] {
  if (!hasFields(handlers)) refuse('an object of `handlers`', handlers)
  for (const [name, handler] of Object.entries(handlers as object)) {
    if (!isExecute(handler)) refuse(`a function or { module, export } as handler "${name}"`, handler)
  }
}

function checkDefaults(defaults: unknown, handlers: Workflow['handlers']): void {
  if (!hasFields(defaults)) refuse('an object of `defaults`', defaults)
  for (const [handler, settings] of Object.entries(defaults as Record<string, JobSettings>)) {
    if (!Object.hasOwn(handlers, handler)) {
      throw new EspalierError('ESP_UNKNOWN_HANDLER', {
        of: 'the workflow',
        handler,
        known: Object.keys(handlers),
      })
    }
    checkSettings(`defaults.${handler}`, settings)
  }
}

/** An array or a Map has none that are read. */
const hasFields = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !(Symbol.iterator in value)

function refuse(expected: string, got: unknown): never {
  throw new EspalierError('ESP_INVALID_WORKFLOW', { expected, got })
}

const PART_NAMES: ReadonlySet<string> = new Set<keyof Workflow>([
  'name',
  'input',
  'handlers',
  'executor',
  'defaults',
  'limits',
  'strategy',
  'failFast',
  'onSatisfied',
  'root',
  'expand',
])
const ON_SATISFIED: readonly unknown[] = ['drain', 'cancel']
const STRATEGIES: readonly Strategy[] = ['depth-first', 'breadth-first', 'best-first']
