import { checkKeys, checkName, checkObject, checkString } from '../../domain/check.ts'
import { EspalierError } from '../../domain/errors.ts'
import { resolveLimits } from '../../domain/limits.ts'
import type { NodeSpec } from '../../domain/node-spec.ts'
import type { Tree } from '../../domain/tree.ts'
import { checkWorkflow, type RunOutcome, type Workflow } from '../../domain/workflow.ts'
import type { RunRecord } from '../../ports/run-store.ts'
import type { OrchestratorActor } from '../charts/charts.ts'
import type { RunEventOf, RunEventType, RunStreamEvent } from '../events/run-events.ts'
import { PoolCore } from '../pool/job-pool.ts'
import { checkSignal } from '../pool/options.ts'
import type { Supervisor } from '../pool/supervisor.ts'
import { type ForkPoint, forkRun } from '../record/fork.ts'
import { validInput } from './run-input.ts'
import { TreeRun } from './tree-run.ts'

/** What an orchestrator is made with. */
export interface OrchestratorOptions {
  /** Runs the tree's jobs; it may run others too, and stays open after the run. */
  readonly pool: PoolCore
  /** Checked against the workflow's schema. */
  readonly input?: unknown
  /** Names the run, and begins its jobs' ids; one that is in the pool's store is taken up again. Default: a fresh id. */
  readonly runId?: string
  /** Runs the nodes, instead of the workflow's `executor`; what a node or its handler's `defaults` name goes before. */
  readonly executor?: string
  /** The module that the workflow came from, kept with a stored run so that it can be found again. */
  readonly source?: string
  /**
   * Begins with what another run of the pool's store had at an event: nodes, outputs and decisions are taken from it, and
   * what comes after is done and decided anew. A run that is there already is taken up as it is.
   */
  readonly fork?: ForkPoint
  /** Cancels the run when it aborts. */
  readonly signal?: AbortSignal
}

export const RUN_OPTION_NAMES: ReadonlySet<string> = new Set<keyof OrchestratorOptions>([
  'pool',
  'input',
  'runId',
  'executor',
  'source',
  'fork',
  'signal',
])

const FORK_KEYS: ReadonlySet<string> = new Set<keyof ForkPoint>(['runId', 'at'])

/** It begins the ids of the run's jobs, which may be 200 characters long. */
const RUN_ID_LENGTH_MAX = 150

/**
 * Grows the tree of one run: submits its nodes as jobs, and asks the workflow's `expand` after each completion and
 * failure how the tree goes on, at once and independently of all others.
 */
export class Orchestrator {
  readonly runId: string
  /** The run's XState actor; a child of the pool's. */
  readonly actor: OrchestratorActor
  readonly #workflow: Workflow
  readonly #givenInput: unknown
  readonly #signal: AbortSignal | undefined
  readonly #run: TreeRun
  readonly #isStored: boolean
  #hasStarted = false

  /** @throws {EspalierError} `ESP_INVALID_WORKFLOW`, `ESP_INVALID_OPTION`, `ESP_UNKNOWN_OPTION`, `ESP_UNKNOWN_EXECUTOR`. */
  // biome-ignore lint/suspicious/noExplicitAny: a workflow of any input type can be run.
  constructor(workflow: Workflow<any>, options: OrchestratorOptions) {
    checkWorkflow(workflow)
    checkObject('options', options)
    checkKeys('an orchestrator', options, RUN_OPTION_NAMES)
    const { pool, input, runId, executor, source, fork, signal } = options
    if (!(pool instanceof PoolCore)) {
      throw new EspalierError('ESP_INVALID_OPTION', { option: 'pool', expected: 'a JobPool', got: pool })
    }
    const { supervisor, submissions } = PoolCore.partsOf(pool)
    this.#workflow = workflow
    this.#givenInput = input
    this.#signal = checkSignal(signal)
    this.runId =
      runId === undefined ? supervisor.settings.ids.next() : checkName('runId', runId, RUN_ID_LENGTH_MAX)
    if (executor !== undefined) checkName('executor', executor)
    if (source !== undefined) checkString('source', source)
    const runsOn = executor ?? workflow.executor
    if (runsOn !== undefined) submissions.checkExecutor(runsOn)
    if (supervisor.isStoreClosed) submissions.refuseIfClosed()
    const known = supervisor.journal?.store.run(this.runId)
    this.#refuseOthers('runId', known)
    const stored = known ?? (fork === undefined ? undefined : this.#forked(fork, supervisor))
    this.#isStored = stored !== undefined
    this.#run = new TreeRun(this.runId, workflow, supervisor, submissions, {
      stored,
      source,
      executor,
    })
    this.actor = this.#run.actor
  }

  /** Refuses a run of another workflow. */
  #refuseOthers(option: string, run: RunRecord | undefined): void {
    const { name } = this.#workflow
    if (run === undefined || run.workflow === name) return
    const expected = `the id of a run of workflow "${name}"`
    throw new EspalierError('ESP_INVALID_OPTION', { option, expected, got: `${run.workflow}'s` })
  }

  #forked(fork: ForkPoint, supervisor: Supervisor): RunRecord | undefined {
    checkObject('fork', fork)
    checkKeys('a fork', fork, FORK_KEYS)
    checkString('fork.runId', fork.runId)
    const { journal } = supervisor
    if (journal === undefined) {
      const expected = 'a pool with a `store`, which has the other run'
      throw new EspalierError('ESP_INVALID_OPTION', { option: 'fork', expected, got: fork })
    }
    this.#refuseOthers('fork.runId', journal.store.run(fork.runId))
    supervisor.commitTurn()
    const limits = resolveLimits(this.#workflow.limits)
    const made = { ...fork, as: this.runId, limits, now: supervisor.now() }
    journal.adopt((seq, key) => forkRun(journal.store, made, seq, key))
    return journal.store.run(this.runId)
  }

  /** The tree as it is now: a live view that cannot be written to. */
  get tree(): Tree {
    return this.#run.tree
  }

  /**
   * Runs the workflow to its end.
   *
   * @returns How the run ended; it does not reject for what happens in the run.
   * @throws {EspalierError} Before anything has started: `ESP_INVALID_INPUT`; for a root, `ESP_UNKNOWN_HANDLER`,
   * `ESP_UNKNOWN_OPTION` or `ESP_INVALID_OPTION`; `ESP_RUN_STARTED` when called again, and what the workflow's `root`
   * throws.
   */
  async run(): Promise<RunOutcome> {
    if (this.#hasStarted) throw new EspalierError('ESP_RUN_STARTED', { runId: this.runId })
    this.#hasStarted = true
    const roots = this.#isStored ? undefined : await this.#roots()
    const cancel = () => this.cancel()
    if (this.#signal?.aborted) cancel()
    else this.#signal?.addEventListener('abort', cancel, { once: true })
    if (roots === undefined) this.#run.resume()
    else this.#run.start(roots)
    const outcome = await this.#run.ended
    this.#signal?.removeEventListener('abort', cancel)
    return outcome
  }

  async #roots(): Promise<readonly NodeSpec[]> {
    const input = await validInput(this.#workflow, this.#givenInput)
    this.#run.facts.input = input
    const given = await this.#workflow.root(input)
    const roots = Array.isArray(given) ? given : [given as NodeSpec]
    this.#run.checkRoots(roots)
    return roots
  }

  /** Ends the run: what is queued or running is cancelled. A run that has ended is not affected. */
  cancel(): void {
    this.#run.cancel()
  }

  /**
   * Calls `listener` for each event of a type, or of every type with `'*'`. One that throws is logged.
   *
   * @returns A function that stops listening.
   * @throws {EspalierError} `ESP_INVALID_OPTION` for a type that no event has, or a listener that is no function.
   */
  on(type: '*', listener: (event: RunStreamEvent) => unknown): () => void
  on<Type extends RunEventType>(type: Type, listener: (event: RunEventOf<Type>) => unknown): () => void
  on(type: string, listener: (event: never) => unknown): () => void {
    return this.#run.events.on(type, listener as (event: RunStreamEvent) => unknown)
  }
}
