import { isEspalierError } from '../../domain/errors.ts'
import type { JobId } from '../../domain/job.ts'
import { DEFAULT_LIMITS, type TreeLimits } from '../../domain/limits.ts'
import type { NodeId } from '../../domain/node-spec.ts'
import type { TreeNode } from '../../domain/tree.ts'
import { checkWorkflow, type RunOutcome } from '../../domain/workflow.ts'
import { PoolCore } from '../../runtime/pool/job-pool.ts'
import type { JobPoolOptions } from '../../runtime/pool/options.ts'
import { Orchestrator } from '../../runtime/tree/orchestrator.ts'
import { atEnd, atQuiet, checkInvariants } from '../invariants/invariants.ts'
import { type Body, keyOfAttempt } from '../model/body.ts'
import { Disk } from '../model/disk.ts'
import { type Stricken, strickenOf } from '../model/faults.ts'
import type { JournalEntry } from '../model/journal.ts'
import { type Behaviour, behavioursOf } from '../model/outcomes.ts'
import type { OpenQuestion } from '../model/question.ts'
import { type JobView, Rows, viewOf } from '../model/rows.ts'
import type { Deed, Step } from '../model/step.ts'
import { handlersOf, type JobSet, markerOf, type Subject, type WorldOptions } from '../model/subject.ts'
import type { Invariant, Violation } from '../model/world-view.ts'
import { doDeed, repeatEnd } from './deeds.ts'
import { type InnerWorld, STANDING_STILL, type WorldDriver } from './inner-world.ts'
import { Recorder } from './recorder.ts'
import { SimulatedExecutor } from './simulated-executor.ts'
import { StandIn } from './stand-in.ts'
import { EXECUTORS, SILENT_LOGGER, SimulatedHost } from './surroundings.ts'
import { Turns } from './turns.ts'
import { WorldClock } from './world-clock.ts'

const RUN_ID = 'run'
/** Wakes at one instant, beyond which the runtime is thought to turn in a circle. */
const WAKES_MAX = 1_000

/**
 * The real runtime, with pool, orchestrator and charts, in a world where nothing happens by itself: its clock, chance,
 * ids and executors are simulated, and whoever drives it says what happens next.
 */
export class World implements InnerWorld {
  readonly subject: Subject
  readonly driver: WorldDriver
  readonly clock: WorldClock
  readonly turns = new Turns()
  readonly host = new SimulatedHost()
  pool!: PoolCore
  orchestrator: Orchestrator | undefined
  readonly rows = new Rows()
  /** Attempts whose executor has not confirmed the end, those of ended jobs included. */
  readonly bodies = new Map<string, Body>()
  /** Ends that can be reported once more. */
  readonly endedBodies = new Map<string, Body>()
  readonly questions = new Map<NodeId, OpenQuestion>()
  readonly invariants: readonly Invariant[]
  /** Absent in a world whose processes keep nothing. */
  readonly disk: Disk | undefined
  /** What was done since the store last took all of it, as JSON; told while the pool tries again. */
  readonly untold: string[] = []
  /** The `eventually` properties that have held. */
  readonly kept = new Set<string>()
  readonly limits: TreeLimits
  /** What the pool was made for. */
  readonly maxParallelJobs: number
  outcome: RunOutcome | undefined
  /** The first promise that was broken. */
  violation: Violation | undefined
  /** Written to when there is one. */
  journal: JournalEntry[] | undefined
  /** What the run would not start for, such as an input that its schema refuses. */
  refusal: unknown
  readonly #options: WorldOptions
  /** Whether the run has ended in this process, since the store took no more of it. */
  #isGivenUp = false
  /** How many processes there have been. */
  #life = 0
  #ids = 0
  readonly #behaviours: ReadonlyMap<string, Behaviour>
  readonly #standIn = new StandIn(this)
  readonly #recorder: Recorder

  constructor(subject: Subject, options: WorldOptions = {}, driver: WorldDriver = STANDING_STILL) {
    this.subject = subject
    this.#recorder = new Recorder(this, this.#standIn)
    this.#options = options
    this.driver = driver
    this.clock = new WorldClock(() => driver.tie())
    this.invariants = checkInvariants(options.invariants ?? [])
    this.#behaviours = behavioursOf(handlersOf(subject), options.handlers)
    this.disk = options.isDurable === true ? new Disk(() => this.#wasRefused()) : undefined
    if (!('jobs' in subject)) checkWorkflow(subject)
    this.limits = 'jobs' in subject ? DEFAULT_LIMITS : { ...DEFAULT_LIMITS, ...subject.limits }
    this.#begin()
    this.maxParallelJobs = this.pool.getStatus().maxParallelJobs
  }

  /** Begins a process: a pool, and in it the run, on what the disk has of them. */
  #begin(): void {
    const life = ++this.#life
    const isAlive = () => this.#isAlive(life)
    const factories = Object.fromEntries(
      EXECUTORS.map((name) => [name, () => new SimulatedExecutor(name, this, this.#behaviours, isAlive)]),
    )
    const settings: JobPoolOptions = {
      ...this.#options.pool,
      clock: this.clock,
      random: { next: () => this.driver.random() },
      ids: { next: () => `s${this.#ids++}.` },
      logger: SILENT_LOGGER,
      ...(this.disk && { store: this.disk.open() }),
    }
    this.pool = new PoolCore(settings, factories, this.host)
    this.#recorder.listen(isAlive)
    if ('jobs' in this.subject) return
    this.orchestrator = new Orchestrator(this.#standIn.of(this.subject, isAlive), {
      pool: this.pool,
      input: this.#options.input,
      runId: RUN_ID,
    })
    this.orchestrator.on('*', (event) => {
      if (isAlive()) this.#recorder.heardOfRun(event)
    })
  }

  /** Whether a process goes on: what one that has died still says is heard by nobody. */
  #isAlive(life: number): boolean {
    return life === this.#life && this.disk?.isOrphaned !== true
  }

  /** The process dies, and the next one takes up what the disk has. */
  #restart(disk: Disk): void {
    const running = new Set(disk.running())
    for (const row of this.rows.live) if (running.has(row.id)) row.losses++
    this.#isGivenUp = false
    this.clock.forget()
    this.bodies.clear()
    this.endedBodies.clear()
    this.questions.clear()
    this.#begin()
    if (this.orchestrator !== undefined) this.#run(this.orchestrator)
    for (const row of [...this.rows.all.values()]) this.#recorder.findAgain(row, disk)
    // What was stored, and never told to the one that died.
    for (const node of this.nodes) this.#recorder.learn(node)
    for (const id of disk.ids()) if (!this.rows.all.has(id)) this.#recorder.submitted(id, running.has(id))
  }

  /** Whether ready jobs move up with time, so that their order is no longer that of their priorities. */
  get agesJobs(): boolean {
    return this.#options.pool?.ageing !== undefined
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

  /** Whether the pool starts nothing, since the store has refused a commit. */
  get isRefused(): boolean {
    return this.disk?.hasRefused === true && PoolCore.partsOf(this.pool).supervisor.isRefused
  }

  get isGivenUp(): boolean {
    return this.#isGivenUp
  }

  /** Whether the pool looks at its machine itself, and finds pressure late. */
  get watchesHost(): boolean {
    return PoolCore.partsOf(this.pool).supervisor.settings.pressure !== undefined
  }

  /** Whether the workflow looks at results. */
  get hasExpand(): boolean {
    return !('jobs' in this.subject) && this.subject.expand !== undefined
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
    if (orchestrator === undefined) this.#submitSet(this.subject as JobSet)
    else this.#run(orchestrator)
    await this.settle()
    if (this.refusal !== undefined) throw this.refusal
  }

  #submitSet({ jobs }: JobSet): void {
    this.pool.submitJobs(jobs.map((spec) => ({ ...spec, execute: markerOf(spec.id) })))
  }

  #run(orchestrator: Orchestrator): void {
    const life = this.#life
    this.turns.need()
    orchestrator.run().then(
      (outcome) => {
        // A run that had ended before its process died does not end again.
        if (this.#isAlive(life)) this.outcome ??= outcome
      },
      (thrown) => {
        if (!this.#isAlive(life)) return
        if (this.disk?.hasRefused && isEspalierError(thrown, 'ESP_STORE_REFUSED')) this.#isGivenUp = true
        else this.refusal = thrown ?? new Error('The run was refused.')
      },
    )
  }

  /** Does one thing; `false` when it cannot be done now. What follows from it needs {@link settle}. */
  do(deed: Deed): boolean {
    if (this.disk !== undefined) {
      if (!this.isRefused) this.untold.length = 0
      this.untold.push(JSON.stringify(deed))
    }
    return doDeed(this, deed)
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
    for (const key of this.endedBodies.keys()) repeatEnd(this, key)
  }

  /**
   * Lets happen what needs no time, until nothing is left.
   *
   * @returns Nothing when that was done at once; a promise while promises of user code are open.
   */
  settle(): Promise<void> | undefined {
    this.#runSoon()
    return this.turns.isOpen ? this.turns.settle(() => this.#runSoon()) : undefined
  }

  /** Whether the runtime is woken again and again without time going on: a promise is broken then. */
  get isSpinning(): boolean {
    if (this.clock.wakesAtOnce <= WAKES_MAX) return false
    this.breaks('progress', `The pool was woken ${WAKES_MAX} times at one instant.`)
    return true
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
    const disk = this.disk
    do {
      // A run that was given up is taken up by another process, once there is room again.
      if (disk !== undefined && (disk.isOrphaned || (this.#isGivenUp && disk.refusals === undefined)))
        this.#restart(disk)
    } while (this.clock.runSoon())
  }

  /** What was asked for in a tick that the store did not take is not acknowledged. */
  #wasRefused(): void {
    this.turns.need()
    for (const row of this.rows.live)
      if (row.isUnwanted && !this.disk?.isUnwanted(row.id)) row.isUnwanted = false
  }

  refuse({ isFull, commit }: Extract<Deed, { do: 'refuse' }>): boolean {
    if (this.disk === undefined) return false
    if (commit === undefined) this.disk.refusals = isFull ? 0 : undefined
    else this.disk.planRefusal(commit)
    return true
  }

  crash({ commit, isRecorded = false }: Extract<Deed, { do: 'crash' }>): boolean {
    if (this.disk === undefined || this.hasEnded) return false
    if (commit === undefined) this.#restart(this.disk)
    else this.disk.planDeath({ commit, isRecorded })
    return true
  }
}
