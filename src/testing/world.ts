import type { DecisionRecord } from '../domain/decision.ts'
import type { Execute, JobId, JobSpec, ModuleHandler } from '../domain/job.ts'
import { DEFAULT_LIMITS, type TreeLimits } from '../domain/limits.ts'
import type { NodeId, NodeSpec } from '../domain/node-spec.ts'
import type { PressureReason } from '../domain/pressure.ts'
import { isThenable } from '../domain/thrown.ts'
import type { TreeNode } from '../domain/tree.ts'
import {
  checkWorkflow,
  type ExpandAnswer,
  type ExpandRequest,
  type RunOutcome,
  type Workflow,
} from '../domain/workflow.ts'
import type { Attempt, AttemptSink, Executor, ExecutorSupports } from '../ports/executor.ts'
import type { Host } from '../ports/host.ts'
import type { Logger } from '../ports/logger.ts'
import type { JobRecord } from '../ports/run-store.ts'
import type { PoolStreamEvent } from '../runtime/events.ts'
import { type JobActor, STOPPING } from '../runtime/job.ts'
import { PoolCore } from '../runtime/job-pool.ts'
import type { JobPoolOptions } from '../runtime/options.ts'
import { Orchestrator } from '../runtime/orchestrator.ts'
import type { RunStreamEvent } from '../runtime/run-events.ts'
import { Body, keyOfAttempt } from './body.ts'
import { Disk } from './disk.ts'
import { type Stricken, strickenOf } from './faults.ts'
import { atChange, atEnd, atOutcome, atQuiet, atStart, atStop, leastBackoffMs } from './invariants.ts'
import { entryOf, type JournalEntry } from './journal.ts'
import { type Behaviour, behavioursOf, type HandlerModels } from './outcomes.ts'
import type { OpenQuestion } from './question.ts'
import { type JobView, type Row, Rows, stateOfRow, viewOf } from './rows.ts'
import type { Deed, Step } from './step.ts'
import { WorldClock } from './world-clock.ts'
import type { Invariant, Violation, WatchedWorld } from './world-view.ts'

/** Jobs without a tree, for what needs no workflow. `execute` is not run unless `handlers` says so. */
export interface JobSet {
  readonly name?: string
  readonly jobs: readonly (Omit<JobSpec, 'execute'> & { readonly id: JobId; readonly execute?: Execute })[]
}

/** What is put to the test. */
// biome-ignore lint/suspicious/noExplicitAny: a workflow of any input type can be tested.
export type Subject = Workflow<any> | JobSet

/** A pool's options, without those that a world provides. */
export type WorldPoolOptions = Omit<
  JobPoolOptions,
  'executorType' | 'executors' | 'host' | 'clock' | 'random' | 'ids' | 'inspect' | 'logger' | 'signal'
>

export interface WorldOptions {
  /** The run's input. */
  readonly input?: unknown
  readonly pool?: WorldPoolOptions
  readonly handlers?: HandlerModels
  /** Keeps everything in a simulated store, which outlives a crash. Default: only when `crash` is among the faults. */
  readonly isDurable?: boolean
  /** Checked at each quiet point, beside the built-in ones. */
  readonly invariants?: readonly Invariant[]
}

/** What drives a world, and wants to hear of what can be done next. */
export interface WorldDriver {
  /** Decides the jitter of backoffs, and of equal instants which goes first. */
  random(): number
  tie(): number
  began(body: Body): void
  stopped(body: Body): void
  asked(question: OpenQuestion): void
}

const RUN_ID = 'run'

/** What simulated executors can do: all but ending by force what ignores its signal, which is a fault to be simulated. */
const EVERYTHING: ExecutorSupports = {
  closures: true,
  modules: true,
  transfer: true,
  memoryLimit: true,
  context: true,
  output: true,
}

/** The executors that a workflow's nodes may name. */
const EXECUTORS = ['async', 'thread', 'process', 'command', 'machine'] as const

const STANDING_STILL: WorldDriver = {
  random: () => 0.5,
  tie: () => 0,
  began() {},
  stopped() {},
  asked() {},
}

/**
 * The real runtime, with pool, orchestrator and charts, in a world where nothing happens by itself: its clock, chance,
 * ids and executors are simulated, and whoever drives it says what happens next.
 */
export class World implements WatchedWorld {
  readonly clock: WorldClock
  pool!: PoolCore
  orchestrator: Orchestrator | undefined
  readonly rows = new Rows()
  /** Attempts whose executor has not confirmed the end, those of ended jobs included. */
  readonly bodies = new Map<string, Body>()
  /** Ends that can be reported once more. */
  readonly endedBodies = new Map<string, Body>()
  readonly questions = new Map<NodeId, OpenQuestion>()
  readonly invariants: readonly Invariant[]
  /** The `eventually` properties that have held. */
  readonly kept = new Set<string>()
  readonly limits: TreeLimits
  outcome: RunOutcome | undefined
  /** The first promise that was broken. */
  violation: Violation | undefined
  /** Written to when there is one. */
  journal: JournalEntry[] | undefined
  /** What the run would not start for, such as an input that its schema refuses. */
  refusal: unknown
  readonly #subject: Subject
  readonly #options: WorldOptions
  readonly #driver: WorldDriver
  readonly #maxParallelJobs: number
  readonly #disk: Disk | undefined
  /** How many processes there have been. */
  #life = 0
  #ids = 0
  readonly #behaviours: ReadonlyMap<string, Behaviour>
  /** What each node's last answer was to grow, until the nodes have been told. */
  readonly #growing = new Map<NodeId | undefined, NodeSpec[]>()
  /** Promises of user code that have not settled. */
  #busy = 0
  #wakeUp: (() => void) | undefined
  /** Whether a promise has been settled whose listeners have not been called. */
  #needsTurn = false

  constructor(subject: Subject, options: WorldOptions = {}, driver: WorldDriver = STANDING_STILL) {
    this.#subject = subject
    this.#options = options
    this.#driver = driver
    this.clock = new WorldClock(() => driver.tie())
    this.invariants = options.invariants ?? []
    this.#behaviours = behavioursOf(handlersOf(subject), options.handlers)
    this.#disk = options.isDurable === true ? new Disk() : undefined
    if (!('jobs' in subject)) checkWorkflow(subject)
    this.limits = 'jobs' in subject ? DEFAULT_LIMITS : { ...DEFAULT_LIMITS, ...subject.limits }
    this.#begin()
    this.#maxParallelJobs = this.pool.getStatus().maxParallelJobs
  }

  /** Begins a process: a pool, and in it the run, on what the disk has of them. */
  #begin(): void {
    const life = ++this.#life
    const executor = (name: string): Executor => ({
      name,
      supports: EVERYTHING,
      refuses: () => undefined,
      start: (attempt, sink) => this.#isAlive(life) && this.#start(attempt, sink),
      stop: (attempt) => this.#isAlive(life) && this.#stop(attempt),
    })
    const factories = Object.fromEntries(EXECUTORS.map((name) => [name, () => executor(name)]))
    const settings: JobPoolOptions = {
      ...this.#options.pool,
      clock: this.clock,
      random: { next: () => this.#driver.random() },
      ids: { next: () => `s${this.#ids++}.` },
      logger: SILENT_LOGGER,
      ...(this.#disk && { store: this.#disk.open() }),
    }
    this.pool = new PoolCore(settings, factories, QUIET_HOST)
    this.#listen(life)
    if ('jobs' in this.#subject) return
    this.orchestrator = new Orchestrator(this.#standIn(this.#subject, life), {
      pool: this.pool,
      input: this.#options.input,
      runId: RUN_ID,
    })
    this.orchestrator.on('*', (event) => {
      if (this.#isAlive(life)) this.#heardOfRun(event)
    })
  }

  /** Whether a process goes on: what one that has died still says is heard by nobody. */
  #isAlive(life: number): boolean {
    return life === this.#life && this.#disk?.isOrphaned !== true
  }

  /** The process dies, and the next one takes up what the disk has. */
  #restart(): void {
    const running = new Set(this.#disk?.running())
    for (const row of this.rows.live) if (running.has(row.id)) row.losses++
    this.clock.forget()
    this.bodies.clear()
    this.endedBodies.clear()
    this.questions.clear()
    this.#begin()
    if (this.orchestrator !== undefined) this.#run(this.orchestrator)
    for (const row of [...this.rows.all.values()]) this.#findAgain(row)
    // What was stored, and never told to the one that died.
    for (const node of this.nodes) this.#learn(node)
    for (const id of this.#disk?.ids() ?? []) if (!this.rows.all.has(id)) this.#submitted(id, running.has(id))
  }

  #learn(node: TreeNode): void {
    if (!this.rows.told.has(node.id)) this.#added(node)
    this.rows.tell(node)
    const isOver = node.status === 'completed' || node.status === 'failed'
    if (isOver && node.decision === undefined && this.hasExpand) this.rows.undecided.add(node.id)
    else this.rows.undecided.delete(node.id)
  }

  /** Finds a job that was known before the process died: what was told of it must still be so. */
  #findAgain(row: Row): void {
    const stored = this.#disk?.job(row.id)
    if (row.outcome !== undefined) {
      if (stored?.state !== row.outcome.status)
        this.breaks(
          'durability',
          `Job ${row.id} was told to be ${row.outcome.status}, but is ${stored?.state} after a crash.`,
        )
      return
    }
    const actor = this.pool.job(row.id) as unknown as JobActor | undefined
    if (actor === undefined) {
      if (stored !== undefined)
        this.breaks('durability', `Job ${row.id} is stored, but was not taken up again.`)
      this.rows.remove(row)
      return
    }
    row.actor = actor
    const { output } = actor.getSnapshot()
    if (output !== undefined) this.rows.settle(row, output)
    else if (row.isUnwanted && !isStoredAsUnwanted(stored)) row.isUnwanted = false
  }

  /** Whether ready jobs move up with time, so that their order is no longer that of their priorities. */
  get agesJobs(): boolean {
    return this.#options.pool?.ageing !== undefined
  }

  get isDurable(): boolean {
    return this.#disk !== undefined
  }

  get releasesZombies(): boolean {
    return this.#options.pool?.releaseZombies === true
  }

  get now(): number {
    return this.clock.now()
  }

  /** Whether nothing more is to come of it: the run, or every job, has ended. */
  get hasEnded(): boolean {
    return this.orchestrator === undefined ? this.rows.live.size === 0 : this.outcome !== undefined
  }

  /** Whether nothing more can come of it: all has ended, and no attempt runs on. */
  get isOver(): boolean {
    return this.hasEnded && this.bodies.size === 0
  }

  /** The body of a job's current attempt. */
  bodyOf(job: JobId): Body | undefined {
    const row = this.rows.all.get(job)
    return row === undefined ? undefined : this.bodies.get(keyOfAttempt(job, row.actor.context.attempt))
  }

  /** Who a body is, for a fault that looks for its victims. */
  strickenBy(body: Body): Stricken {
    return strickenOf(body, body.node === undefined ? undefined : this.node(body.node)?.key)
  }

  /** Whether nothing is wanted any more of what the pool has accepted. */
  get isHalted(): boolean {
    return this.isShutDown && Array.from(this.rows.live).every((row) => stateOfRow(row) === STOPPING)
  }

  get isPaused(): boolean {
    return this.pool.actor.getSnapshot().value.dispatch === 'paused'
  }

  get isThrottled(): boolean {
    return this.pool.actor.getSnapshot().value.dispatch === 'throttled'
  }

  /** Whether the pool may run fewer jobs than it was made for. */
  get isLimited(): boolean {
    return this.pool.actor.getSnapshot().context.maxParallelJobs < this.#maxParallelJobs
  }

  get isShutDown(): boolean {
    return this.pool.actor.getSnapshot().value.lifecycle !== 'accepting'
  }

  get canCancelRun(): boolean {
    const run = this.orchestrator?.actor.getSnapshot()
    return run?.status === 'active' && run.context.reason !== 'cancelled'
  }

  /** Whether the workflow looks at results. */
  get hasExpand(): boolean {
    return !('jobs' in this.#subject) && this.#subject.expand !== undefined
  }

  /** Whether nothing is left to happen, unless somebody does something. */
  get isAtRest(): boolean {
    return this.clock.next === undefined && this.bodies.size === 0 && this.questions.size === 0
  }

  get jobs(): readonly JobView[] {
    return Array.from(this.rows.all.values(), viewOf)
  }

  // As fields, so that invariants may take them out of their world.

  readonly job = (id: JobId): JobView | undefined => {
    const row = this.rows.all.get(id)
    return row === undefined ? undefined : viewOf(row)
  }

  readonly node = (id: NodeId): TreeNode | undefined => this.orchestrator?.tree.nodes[id]

  /** A node by its id or key. */
  readonly nodeNamed = (name: string): TreeNode | undefined => {
    const { told, idsByKey } = this.rows
    return told.get(name) ?? told.get(idsByKey.get(name) ?? '')
  }

  /** The tree's nodes, in order of growth. */
  get nodes(): readonly TreeNode[] {
    return this.orchestrator === undefined ? [] : Object.values(this.orchestrator.tree.nodes)
  }

  /** Sets the subject going. @throws What the workflow's `root` throws, and for an input that it refuses. */
  async start(): Promise<void> {
    const { orchestrator } = this
    if (orchestrator === undefined) this.#submitSet(this.#subject as JobSet)
    else {
      this.#run(orchestrator)
    }
    await this.settle()
    if (this.refusal !== undefined) throw this.refusal
  }

  #run(orchestrator: Orchestrator): void {
    const life = this.#life
    this.#needsTurn = true
    orchestrator.run().then(
      (outcome) => {
        // A run that had ended before its process died does not end again.
        if (this.#isAlive(life)) this.outcome ??= outcome
      },
      (thrown) => {
        if (this.#isAlive(life)) this.refusal = thrown ?? new Error('The run was refused.')
      },
    )
  }

  /** Does one thing; `false` when it cannot be done now. What follows from it needs {@link settle}. */
  do(deed: Deed): boolean {
    switch (deed.do) {
      case 'end':
      case 'obey':
      case 'fail':
      case 'lose':
      case 'reject':
        return this.#endBody(deed)
      case 'repeat':
        return this.#repeat(keyOfAttempt(deed.job, deed.attempt))
      case 'decide':
        return this.#deliver(deed.node)
      case 'wait':
        return this.clock.next !== undefined
      case 'cancel':
        return this.#cancel(deed.job)
      case 'pause':
        this.pool.pause()
        return true
      case 'resume':
        this.pool.resume()
        return true
      case 'limit':
        this.pool.setMaxParallelJobs(deed.isLowered ? 1 : this.#maxParallelJobs)
        return true
      case 'pressure':
        this.#press(deed.isRaised)
        return true
      case 'shutdown':
        void this.pool.shutdown({ wait: deed.wait })
        return true
      case 'stall':
        this.clock.goTo(this.now + deed.ms)
        return true
      case 'crash':
        return this.#crash(deed)
    }
  }

  /**
   * Does a step of a run again, and all that follows from it.
   *
   * @returns `false` when it cannot be done now; a promise while promises of user code are open.
   */
  redo(step: Step): boolean | Promise<boolean> {
    if (step.do === 'wait') return this.#pass(step.wakes, step.at)
    this.clock.goToElapsed(step.at)
    const isDone = this.do(step)
    const settled = this.settle()
    return settled === undefined ? isDone : settled.then(() => isDone)
  }

  #pass(wakes: number, until: number): boolean | Promise<boolean> {
    for (let left = wakes; left > 0; left--) {
      if (this.clock.next === undefined) return false
      this.clock.runNext()
      const settled = this.settle()
      if (settled !== undefined) return settled.then(() => this.#pass(left - 1, until))
    }
    this.clock.goToElapsed(until)
    return true
  }

  /** Reports the end of every attempt that has ended once more: nothing may change. */
  repeatAll(): void {
    for (const key of this.endedBodies.keys()) this.#repeat(key)
  }

  /**
   * Lets happen what needs no time, until nothing is left.
   *
   * @returns Nothing when that was done at once; a promise while promises of user code are open.
   */
  settle(): Promise<void> | undefined {
    this.#runSoon()
    return this.#needsTurn || this.#busy > 0 ? this.#settleLater() : undefined
  }

  /** Looks whether all promises hold at a quiet point. */
  check(): void {
    atQuiet(this)
  }

  /** Looks whether all has come to its end, as it must when nothing is left to happen. */
  checkEnd(): void {
    atEnd(this)
  }

  /** Notes that a promise was broken; only the first counts. */
  breaks(invariant: string, message: string): void {
    this.violation ??= { invariant, message, at: this.clock.elapsedMs }
  }

  #runSoon(): void {
    while (this.clock.runSoon()) if (this.#disk?.isOrphaned) this.#restart()
  }

  async #settleLater(): Promise<void> {
    for (;;) {
      this.#runSoon()
      if (this.#busy > 0) {
        await new Promise<void>((resolve) => {
          this.#wakeUp = resolve
        })
        this.#wakeUp = undefined
        this.#needsTurn = true
      } else if (this.#needsTurn) {
        this.#needsTurn = false
        await new Promise((resolve) => setImmediate(resolve))
      } else return
    }
  }

  #crash({ commit, isRecorded = false }: Extract<Deed, { do: 'crash' }>): boolean {
    if (this.#disk === undefined || this.hasEnded) return false
    if (commit === undefined) this.#restart()
    else this.#disk.planDeath({ commit, isRecorded })
    return true
  }

  // What the pool's executors are told.

  #start(attempt: Attempt, sink: AttemptSink): void {
    const handler = (attempt.execute as ModuleHandler).export as string
    const body = new Body(attempt, sink, handler, this.now)
    this.bodies.set(body.key, body)
    const row = this.rows.all.get(body.job)
    if (row !== undefined) {
      row.starts++
      atStart(this, row, body)
      row.lastAttempt = body.attempt
    }
    const pending = body.begin(this.#behaviours.get(handler) as Behaviour)
    if (pending === undefined) this.#driver.began(body)
    else {
      void this.#whileBusy(pending).then(() => this.#driver.began(body))
    }
  }

  #stop(attempt: Attempt): void {
    const body = this.bodies.get(keyOfAttempt(attempt.jobId, attempt.attempt))
    if (body === undefined || body.isStopped) return
    body.isStopped = true
    const row = this.rows.all.get(body.job)
    if (row !== undefined) atStop(this, row, body)
    this.#driver.stopped(body)
  }

  /** Waits for a promise of user code, without which nothing may go on. */
  async #whileBusy(pending: PromiseLike<unknown>): Promise<void> {
    this.#busy++
    try {
      await pending
    } catch {
      // Whoever made the promise knows.
    }
    this.#busy--
    this.#wakeUp?.()
  }

  // What is done to it.

  #endBody(deed: Extract<Deed, { attempt: number }>): boolean {
    const key = keyOfAttempt(deed.job, deed.attempt)
    const body = this.bodies.get(key)
    if (body === undefined) return false
    if (deed.do === 'end' && body.outcomes[deed.as] === undefined) return false
    this.bodies.delete(key)
    this.endedBodies.set(key, body)
    if (deed.do === 'end') body.end(deed.as)
    else if (deed.do === 'obey') body.obey()
    else if (deed.do === 'fail') body.fail(new Error('simulated failure'))
    else if (deed.do === 'lose') this.#lose(body)
    else body.reject()
    return true
  }

  #lose(body: Body): void {
    const row = this.rows.all.get(body.job)
    if (row !== undefined) row.losses++
    body.lose()
  }

  /** Results that come twice or too late must change nothing, whichever way they come. */
  #repeat(key: string): boolean {
    const body = this.endedBodies.get(key)
    if (body === undefined) return false
    const row = this.rows.all.get(body.job)
    const before = JSON.stringify(this.pool.getStatus())
    const snapshots = Array.from(this.rows.live, ({ actor }) => actor.getSnapshot())
    body.repeat()
    const { job: jobId, attempt } = body
    const stale = { at: this.now, attempt, error: new Error('stale'), reason: 'error', random: 0 } as const
    row?.actor.take({ type: 'attempt.completed', at: this.now, attempt, value: 'stale' })
    row?.actor.take({ type: 'attempt.failed', ...stale })
    while (this.clock.runSoon());
    const isSame =
      JSON.stringify(this.pool.getStatus()) === before &&
      Array.from(this.rows.live, ({ actor }) => actor.getSnapshot()).every((each, i) => each === snapshots[i])
    if (!isSame)
      this.breaks('stale-results', `A second report of the end of ${jobId}#${attempt} changed something.`)
    return true
  }

  #deliver(node: NodeId): boolean {
    const question = this.questions.get(node)
    if (question === undefined) return false
    this.questions.delete(node)
    question.deliver()
    this.#needsTurn = true
    return true
  }

  #press(isRaised: boolean): void {
    const reason: PressureReason = { measure: 'cpuLoad', value: 2, clear: 1 }
    const at = this.now
    this.pool.actor.send(
      isRaised ? { type: 'pressure.raised', at, reasons: [reason] } : { type: 'pressure.cleared', at },
    )
  }

  #cancel(job: JobId | undefined): boolean {
    if (job === undefined) {
      if (this.orchestrator === undefined || this.hasEnded) return false
      for (const row of this.rows.live) row.isUnwanted = true
      this.orchestrator.cancel()
      return true
    }
    const row = this.rows.all.get(job)
    if (row === undefined || row.outcome !== undefined) return false
    row.isUnwanted = this.pool.cancelJob(job)
    return true
  }

  // What the subject is, and what it answers.

  #submitSet({ jobs }: JobSet): void {
    this.pool.submitJobs(jobs.map((spec) => ({ ...spec, execute: markerOf(spec.id) })))
  }

  // biome-ignore lint/suspicious/noExplicitAny: a workflow of any input type can be tested.
  #standIn(workflow: Workflow<any>, life: number): Workflow {
    const { handlers, root, expand } = workflow
    return {
      ...workflow,
      handlers: Object.fromEntries(Object.keys(handlers).map((name) => [name, markerOf(name)])),
      root: async (input) => {
        const roots = await root(input)
        this.#growing.set(undefined, [...(Array.isArray(roots) ? roots : [roots])])
        return roots
      },
      ...(expand === undefined ? {} : { expand: (request) => this.#ask(request, expand, life) }),
    }
  }

  #ask(
    request: ExpandRequest,
    expand: NonNullable<Workflow['expand']>,
    life: number,
  ): ReturnType<typeof expand> {
    const { node } = request
    const answer = expand(request)
    if (!isThenable(answer)) {
      this.#answered(node.id, answer)
      return answer
    }
    const { promise, resolve, reject } = Promise.withResolvers<ExpandAnswer>()
    const askedAt = this.now
    const open = (answer: ExpandAnswer, deliver: () => void) => {
      const question: OpenQuestion = { node: node.id, askedAt, signal: request.signal, answer, deliver }
      if (question.signal.aborted || !this.#isAlive(life)) return
      question.signal.addEventListener('abort', () => {
        if (this.questions.get(node.id) === question) this.questions.delete(node.id)
      })
      this.questions.set(node.id, question)
      this.#driver.asked(question)
    }
    const settled = answer.then(
      (value) =>
        open(value, () => {
          this.#answered(node.id, value)
          resolve(value)
        }),
      (thrown) => open(undefined, () => reject(thrown)),
    )
    void this.#whileBusy(settled)
    return promise
  }

  #answered(node: NodeId, answer: ExpandAnswer): void {
    const nodes = (answer as { readonly nodes?: unknown } | undefined | null)?.nodes
    if (Array.isArray(nodes)) this.#growing.set(node, [...(nodes as NodeSpec[])])
  }

  // What pool and run tell.

  #listen(life: number): void {
    this.pool.on('job.submitted', ({ jobId }) => {
      if (this.#isAlive(life)) this.#submitted(jobId)
    })
    this.pool.on('job.retrying', ({ jobId, retryAt }) => {
      const row = this.rows.all.get(jobId)
      if (row === undefined || !this.#isAlive(life)) return
      const wasLost = row.losses > row.replacements
      if (wasLost) row.replacements++
      const failures = row.starts - row.replacements
      row.notBefore = wasLost ? 0 : Math.max(retryAt, this.now + leastBackoffMs(row, failures))
    })
    for (const type of ['job.completed', 'job.failed', 'job.cancelled'] as const) {
      this.pool.on(type, ({ jobId, result }) => {
        const row = this.rows.all.get(jobId)
        if (row === undefined || !this.#isAlive(life)) return
        atOutcome(this, row, result)
        this.rows.settle(row, result)
        if (this.hasExpand && row.node !== undefined && type !== 'job.cancelled')
          this.rows.undecided.add(row.node)
      })
    }
    this.pool.on('*', (event) => {
      if (this.#isAlive(life)) this.#write(event)
    })
  }

  #submitted(jobId: JobId, wasLost = false): void {
    const actor = this.pool.job(jobId) as unknown as JobActor
    const spec = 'jobs' in this.#subject ? this.#subject.jobs.find(({ id }) => id === jobId) : undefined
    const row: Row = {
      id: jobId,
      node: actor.nodeId,
      handler: (actor.execute as ModuleHandler).export as string,
      actor,
      dependencies: (spec?.dependencies ?? []).map((each) => (typeof each === 'string' ? each : each.id)),
      runsOnFailure: spec?.onDependencyFailure === 'run',
      starts: 0,
      lastAttempt: 0,
      losses: wasLost ? 1 : 0,
      replacements: 0,
      notBefore: spec?.delayMs === undefined ? 0 : this.now + spec.delayMs,
      isUnwanted: false,
      outcome: undefined,
    }
    this.rows.add(row)
    const { output } = actor.getSnapshot()
    if (output !== undefined) this.rows.settle(row, output)
  }

  #heardOfRun(event: RunStreamEvent): void {
    if (event.type === 'node.added') this.#added(event.node)
    if (event.type === 'node.decided') this.#decided(event.node.id, event.decision)
    if (event.type === 'run.ended') this.outcome = event.outcome
    else if ('node' in event) {
      this.rows.tell(event.node)
      atChange(this, event.node)
    }
    this.#write(event)
  }

  #decided(node: NodeId, { type, nodeIds }: DecisionRecord): void {
    this.rows.undecided.delete(node)
    if (type !== 'prune') return
    for (const id of nodeIds) {
      const row = this.rows.byNode.get(id)
      if (row !== undefined && row.outcome === undefined) row.isUnwanted = true
    }
  }

  /** Finds what was asked for among the answer's nodes: some of those were cut, the order is kept. */
  #added({ id, parentId, handler, key, input }: TreeNode): void {
    const specs = this.#growing.get(parentId) ?? []
    const place = specs.findIndex(
      (spec) => spec.handler === handler && spec.key === key && Object.is(spec.input, input),
    )
    // It may be told of twice: of what was stored, the process that took it up was told before.
    if (place < 0 && this.rows.growths.has(id)) return
    const [spec] = place < 0 ? [] : specs.splice(0, place + 1).slice(-1)
    this.rows.growths.set(id, { parent: parentId, dependencies: spec?.dependencies ?? [] })
  }

  #write(event: PoolStreamEvent | RunStreamEvent): void {
    this.journal?.push(entryOf(event, this.clock.elapsedMs))
  }
}

/** What stands for a handler: the world's executors know it by its name. */
const markerOf = (name: string): ModuleHandler => ({ module: 'espalier:simulated', export: name })

function handlersOf(subject: Subject): Readonly<Record<string, Execute | undefined>> {
  if (!('jobs' in subject)) return subject.handlers
  return Object.fromEntries(subject.jobs.map(({ id, execute }) => [id, execute]))
}

const ignore = (): void => {}

/** What the runtime would tell people; here the invariants tell. */
const SILENT_LOGGER: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore }

/** A machine that has nothing to complain of, so that `maxParallelJobs: 'auto'` is the same everywhere. */
const QUIET_HOST: Host = {
  capacity: () => ({
    cores: 2,
    containerCpus: undefined,
    totalMemoryBytes: 2 ** 33,
    availableMemoryBytes: 2 ** 33,
  }),
  watch: () => ({ sample: () => ({}), close: ignore }),
}

/** Whether the disk has it that a job is not wanted any more. */
const isStoredAsUnwanted = (stored: JobRecord | undefined): boolean =>
  stored?.end !== undefined || (stored?.stopping !== undefined && !stored.stopping.includes('"timeout"'))
