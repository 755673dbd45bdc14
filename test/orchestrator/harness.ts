import {
  type Decision,
  type ExpandAnswer,
  type ExpandRequest,
  type HandlerContext,
  type JobPool,
  type JobPoolOptions,
  type NodeSpec,
  type NodeStatus,
  node,
  Orchestrator,
  type RunOutcome,
  type RunStreamEvent,
  type TreeNode,
  type Workflow,
} from 'espalier'
import { expect } from 'vitest'
import { createHeld, createPool, expectConsistent, obedient } from '../runtime/harness.ts'

export type Expand = (request: ExpandRequest) => ExpandAnswer | Promise<ExpandAnswer>

/** What a trial's workflow may leave out: it has handlers of its own, and one root `root` that ends at once. */
export type TrialWorkflow = Partial<Workflow>

export interface TrialOptions extends JobPoolOptions {
  readonly input?: unknown
  readonly runId?: string
  readonly runSignal?: AbortSignal
}

/** Ends at once, with its input. */
export const value = (key: string, rest: Partial<NodeSpec> = {}) =>
  node({ handler: 'value', key, input: key, ...rest })
/** Ends when the test says so; it ignores its signal. */
export const held = (key: string, rest: Partial<NodeSpec> = {}) => node({ handler: 'held', key, ...rest })
/** Fails at once. */
export const broken = (key: string, rest: Partial<NodeSpec> = {}) => node({ handler: 'broken', key, ...rest })
/** Goes on until it is told to end. */
export const obeying = (key: string, rest: Partial<NodeSpec> = {}) =>
  node({ handler: 'obeying', key, ...rest })

/** Decides by the key of the node; those that are not named stop. */
export const decide =
  (decisions: Readonly<Record<string, Expand | Decision>>): Expand =>
  (request) => {
    const decision = decisions[request.node.key ?? request.node.id]
    return typeof decision === 'function' ? decision(request) : decision
  }

export const nameOf = ({ key, id }: Pick<TreeNode, 'key' | 'id'>): string => key ?? id

/** A run in a pool on a simulated clock, in which nothing happens that the test does not let happen. */
export class Trial {
  readonly pool: JobPool
  readonly clock: ReturnType<typeof createPool>['clock']
  readonly logger: ReturnType<typeof createPool>['logger']
  readonly orchestrator: Orchestrator
  readonly events: RunStreamEvent[] = []
  /** How the run ended, once it has. */
  outcome: RunOutcome | undefined
  readonly #held = createHeld()

  constructor(parts: TrialWorkflow, { input, runId = 'run', runSignal, ...options }: TrialOptions = {}) {
    const { pool, clock, logger } = createPool({ maxParallelJobs: 16, ...options })
    this.pool = pool
    this.clock = clock
    this.logger = logger
    const handlers = {
      value: (given: unknown) => given,
      broken: (given: unknown) => {
        throw new Error(String(given ?? 'broken'))
      },
      held: this.#held.execute,
      obeying: (_: unknown, context: HandlerContext) => obedient(context),
      ...parts.handlers,
    }
    const workflow = { name: 'trial', root: () => value('root'), ...parts, handlers }
    const signal = runSignal === undefined ? {} : { signal: runSignal }
    this.orchestrator = new Orchestrator(workflow, { pool, input, runId, ...signal })
    this.orchestrator.on('*', (event) => this.events.push(event))
  }

  /** Starts the run, and lets happen what happens by itself. */
  async start(): Promise<this> {
    void this.orchestrator.run().then((outcome) => {
      this.outcome = outcome
    })
    await this.settle()
    return this
  }

  settle(): Promise<void> {
    return this.clock.settle()
  }

  /** A node by its key or id, as it is now. */
  node(name: string): TreeNode {
    const found = this.nodes.find((each) => each.key === name || each.id === name)
    if (found === undefined) throw new Error(`No node "${name}" has grown.`)
    return found
  }

  get nodes(): TreeNode[] {
    return Object.values(this.orchestrator.tree.nodes)
  }

  get statuses(): Record<string, NodeStatus> {
    return Object.fromEntries(this.nodes.map((each) => [nameOf(each), each.status]))
  }

  /** The names of nodes in the order in which they started, revisions again. */
  get started(): string[] {
    return this.events.flatMap((event) =>
      event.type === 'node.changed' && event.node.status === 'running' && event.node.result === undefined
        ? [nameOf(event.node)]
        : [],
    )
  }

  /** The names of nodes in the order in which they were decided. */
  get decided(): string[] {
    return this.events.flatMap((event) => (event.type === 'node.decided' ? [nameOf(event.node)] : []))
  }

  /** What the handler of a held node was called with. */
  attempt(name: string) {
    return this.#held.of(this.node(name).jobId)
  }

  /** Lets a held node complete. */
  async complete(name: string, with_: unknown = name): Promise<void> {
    this.attempt(name).resolve(with_)
    await this.settle()
  }

  /** Lets a held node fail. */
  async fail(name: string, error: unknown = new Error(`${name} broke`)): Promise<void> {
    this.attempt(name).reject(error)
    await this.settle()
  }

  /** How the run ended; it must have by now. */
  get ended(): RunOutcome {
    expect(this.outcome, 'the run has ended').toBeDefined()
    return this.outcome as RunOutcome
  }

  /** Expects that the run has ended, and left nothing behind. */
  expectNothingLeft(): RunOutcome {
    const { ended } = this
    const { queued, running } = this.pool.getStatus()
    expect({ queued, running }).toEqual({ queued: 0, running: 0 })
    expectConsistent(this.pool)
    expectCounted(ended)
    return ended
  }
}

/** Runs a workflow that needs no hand, to its end. */
export async function grown(
  parts: TrialWorkflow,
  options?: TrialOptions,
): Promise<Trial & { outcome: RunOutcome }> {
  const trial = await new Trial(parts, options).start()
  trial.expectNothingLeft()
  return trial as Trial & { outcome: RunOutcome }
}

/** Starts a workflow. */
export const started = (parts: TrialWorkflow, options?: TrialOptions): Promise<Trial> =>
  new Trial(parts, options).start()

/** Expects that the metrics of an outcome are those of its tree. */
export function expectCounted({ tree, metrics }: RunOutcome): void {
  const nodes = Object.values(tree.nodes)
  const count = (...statuses: NodeStatus[]) => nodes.filter(({ status }) => statuses.includes(status)).length
  expect(metrics).toMatchObject({
    nodes: nodes.length,
    completed: count('completed'),
    failed: count('failed'),
    cancelled: count('cancelled', 'pruned'),
    revisions: nodes.reduce((sum, { revisions }) => sum + revisions, 0),
    durationMs: metrics.endedAt - metrics.startedAt,
  })
  expect(count('queued', 'running')).toBe(0)
}

/** A promise, and how to settle it. */
export function createAnswer<Value = ExpandAnswer>() {
  return Promise.withResolvers<Value>()
}
