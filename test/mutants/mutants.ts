import type { Mutant } from './plant.ts'
import type { Hunt } from './trial.ts'

/** A planted bug, and what must catch it. */
export interface Planted extends Mutant {
  readonly hunt: Hunt
}

const JOB = 'machines/job.machine.ts'
const ORCHESTRATOR = 'machines/orchestrator.machine.ts'
const POOL = 'machines/pool.machine.ts'

/**
 * Bugs of the kind that slips into a scheduler: each is planted alone, from outside, and must be caught.
 *
 * `within` is the budget of the hunt, in states or runs; what it takes stands in `report.md`.
 */
export const mutants: readonly Planted[] = [
  // The job's chart.
  {
    name: 'a stale failure is taken for the current attempt’s',
    file: JOB,
    find: 'isStale: ({ context, event }) => (event as AttemptEnded).attempt !== context.attempt',
    replace: 'isStale: () => false',
    hunt: { scenario: 'slots', by: 'explore', within: 200 },
  },
  {
    name: 'a stale result completes the job',
    file: JOB,
    find: 'isCurrent: ({ context, event }) => (event as AttemptEnded).attempt === context.attempt',
    replace: 'isCurrent: () => true',
    hunt: { scenario: 'slots', by: 'explore', within: 200 },
  },
  {
    name: 'one retry more than allowed',
    file: JOB,
    find: 'if (failures > context.policy.maxRetries) return -1',
    replace: 'if (failures > context.policy.maxRetries + 1) return -1',
    hunt: { scenario: 'diamond', by: 'explore', within: 200 },
  },
  {
    name: 'lost attempts are not counted',
    file: JOB,
    find: 'lost: context.lost + 1',
    replace: 'lost: context.lost',
    hunt: { scenario: 'slots', by: 'explore', within: 1_000 },
  },
  {
    name: 'the backoff is forgotten',
    file: JOB,
    find: 'return rest > 0 ? event.at + rest : 0',
    replace: 'return 0 * rest',
    hunt: { scenario: 'delays', by: 'explore', within: 200 },
  },
  {
    name: 'attempts time out at half their time',
    file: JOB,
    find: 'deadlineAt: event.at + context.policy.timeoutMs',
    replace: 'deadlineAt: event.at + context.policy.timeoutMs / 2',
    hunt: { scenario: 'diamond', by: 'explore', within: 200 },
  },
  {
    name: 'a cancelled attempt that timed out before is retried',
    file: JOB,
    find: "{ guard: 'isTimedOut', actions: overruleTimeout },",
    replace: '',
    hunt: { scenario: 'diamond', by: 'explore', within: 500 },
  },
  {
    name: 'a job that waits for its retry cannot be cancelled',
    file: JOB,
    find: "'job.cancel': 'cancelled',",
    replace: "'job.cancel': [{ guard: ({ context }) => context.attempt === 0, target: 'cancelled' }, {}],",
    hunt: { scenario: 'delays', by: 'explore', within: 500 },
  },
  {
    name: 'a cancelled attempt that completes counts as completed',
    file: JOB,
    find: `            'attempt.completed': [
              { guard: 'isStale' },
              { guard: 'isUnwanted', target: '#job.cancelled' },`,
    replace: `            'attempt.completed': [
              { guard: 'isStale' },
              { guard: 'isUnwanted', target: '#job.completed' },`,
    hunt: { scenario: 'diamond', by: 'explore', within: 200 },
  },
  {
    name: 'nobody is woken when the kill grace is over',
    file: JOB,
    find: `        stopping: {
          description:
            'A cancel or timeout asked the attempt to end; the slot is held until that is confirmed.',
          entry: [
            wakeAtDeadline,`,
    replace: `        stopping: {
          description:
            'A cancel or timeout asked the attempt to end; the slot is held until that is confirmed.',
          entry: [`,
    hunt: { scenario: 'slots', by: 'explore', within: 500 },
  },
  {
    name: 'a failed job settles without telling anybody',
    file: JOB,
    find: `      description: 'Ended with an error, a timeout, or a lost or rejected attempt.',
      tags: 'ended',
      type: 'final',
      entry: 'settle',`,
    replace: `      description: 'Ended with an error, a timeout, or a lost or rejected attempt.',
      tags: 'ended',
      type: 'final',`,
    hunt: { scenario: 'chain', by: 'explore', within: 200 },
  },
  // The charts of run and pool.
  {
    name: 'a run ends while a decision is open',
    file: ORCHESTRATOR,
    find: 'const isAtRest = (tree: TreeCounts) => tree.jobs + tree.decisions === 0',
    replace: 'const isAtRest = (tree: TreeCounts) => tree.jobs === 0',
    hunt: { scenario: 'slowAnswers', by: 'explore', within: 200 },
  },
  {
    name: 'a failed run says that it has completed',
    file: ORCHESTRATOR,
    find: "{ guard: 'hasComeToRestFailed', target: '#orchestrator.failed', actions: recount },",
    replace: '',
    hunt: { scenario: 'diamond', by: 'explore', within: 200 },
  },
  {
    name: 'the run’s own deadline is never asked for',
    file: ORCHESTRATOR,
    find: "entry: [{ type: 'wakeAt', params: ({ context }) => ({ at: context.deadlineAt }) }, 'plantRoot'],",
    replace: "entry: ['plantRoot'],",
    hunt: { scenario: 'hurried', by: 'explore', within: 50 },
  },
  {
    name: 'a satisfied run lets its queued jobs start',
    file: ORCHESTRATOR,
    find: "{ type: 'stopGrowth', params: ({ event }) => ({ stopRunning: event.stopRunning }) },",
    replace: '',
    hunt: { scenario: 'satisfied', by: 'explore', within: 200 },
  },
  {
    name: 'a draining pool closes with the first count it hears',
    file: POOL,
    find: "hasBecomeIdle: ({ event }) => event.type === 'jobs.changed' && isIdle(event.jobs)",
    replace: "hasBecomeIdle: ({ event }) => event.type === 'jobs.changed'",
    hunt: { scenario: 'drain', by: 'explore', within: 100 },
  },
  {
    name: 'the deadline of a shutdown cancels nothing',
    file: POOL,
    find: "'deadline.reached': { guard: 'isDue', actions: cancelForShutdown },",
    replace: '',
    hunt: { scenario: 'drain', by: 'explore', within: 100 },
  },
  // Slots and the ready queue.
  {
    name: 'a slot is free as soon as its attempt is asked to stop',
    file: 'src/runtime/pool/job-effects.ts',
    find: 'stopAttempt(current, error, this.#loop.settings)',
    replace: 'stopAttempt(current, error, this.#loop.settings), this.#loop.slots.free(current)',
    hunt: { scenario: 'slots', by: 'explore', within: 200 },
  },
  {
    name: 'a zombie’s slot is given away',
    file: 'src/runtime/scheduling/slots.ts',
    find: 'if (!release) return',
    replace: '',
    hunt: { scenario: 'slots', by: 'explore', within: 1_000 },
  },
  {
    name: 'a zombie that ends keeps its slot',
    file: 'src/runtime/scheduling/slots.ts',
    find: 'if (!this.#released.delete(attempt)) this.#busy--',
    replace: 'this.#released.delete(attempt)',
    hunt: { scenario: 'slots', by: 'explore', within: 3_000 },
  },
  {
    name: 'a slot is granted twice when a job is retried at once',
    file: 'src/runtime/pool/granting.ts',
    find: 'if (job.isReady) this.#granted = job',
    replace: '',
    hunt: { scenario: 'slots', by: 'explore', within: 200 },
  },
  {
    name: 'the lowest priority goes first',
    file: 'src/runtime/scheduling/ready-queue.ts',
    find: 'const item = (bands[index] as Band<Item>).take()',
    replace: 'const item = (bands[bands.length - 1 - index] as Band<Item>).take()',
    hunt: { scenario: 'priorities', by: 'explore', within: 20 },
  },
  {
    name: 'a priority is starved while others are ready',
    file: 'src/runtime/scheduling/ready-queue.ts',
    find: 'const item = (bands[index] as Band<Item>).take()',
    replace: 'const item = (bands[[0, 2, 3, 1][index]!] as Band<Item>).take()',
    hunt: { scenario: 'priorities', by: 'explore', within: 20 },
  },
  {
    name: 'equal jobs start in the order in which they became ready',
    file: 'src/runtime/scheduling/ready-queue.ts',
    find: 'return a.score === b.score ? a.sequence < b.sequence : a.score > b.score',
    replace: 'return a.score > b.score',
    hunt: { scenario: 'priorities', by: 'explore', within: 100 },
  },
  // Dependencies.
  {
    name: 'a job starts when all but one of its dependencies are met',
    file: 'src/runtime/pool/job-effects.ts',
    find: "if (waiting.outstanding === 0) dependant.take({ type: 'dependencies.met', at })",
    replace: "if (waiting.outstanding <= 1) dependant.take({ type: 'dependencies.met', at })",
    hunt: { scenario: 'chain', by: 'explore', within: 100 },
  },
  {
    name: 'a cancel is not passed on to a job that waits for others too',
    file: 'src/runtime/pool/job-effects.ts',
    find: "dependant.take({ type: 'job.cancel', at, by: 'dependency', reason: 'dependency', causedBy: job.id })",
    replace:
      "if (waiting.outstanding === 0) dependant.take({ type: 'job.cancel', at, by: 'dependency', reason: 'dependency', causedBy: job.id })",
    hunt: { scenario: 'chain', by: 'explore', within: 200 },
  },
  {
    name: 'a node’s own dependencies are lost',
    file: 'src/runtime/tree/planting.ts',
    find: 'for (const dependency of dependencies) {',
    replace: 'for (const dependency of dependencies.slice(1)) {',
    hunt: { scenario: 'diamond', by: 'explore', within: 100 },
  },
  // Time.
  {
    name: 'a start delay is lost',
    file: 'src/runtime/pool/submission.ts',
    find: 'delayMs === undefined || delayMs === 0 ? undefined : at + delayMs',
    replace: 'delayMs === undefined || delayMs !== 0 ? undefined : at + delayMs',
    hunt: { scenario: 'delays', by: 'explore', within: 20 },
  },
  {
    name: 'only the first of several deadlines is kept',
    file: 'src/runtime/scheduling/deadlines.ts',
    find: 'if (next !== undefined && next < this.#askedFor) this.#ask(next)',
    replace: '',
    hunt: { scenario: 'delays', by: 'explore', within: 200 },
  },
  // Trees.
  {
    name: 'a question waits for ever after one that failed',
    file: 'src/runtime/tree/expansion.ts',
    find: `      (thrown) => {
        this.#fail(question, thrown)
        this.#next()
      },`,
    replace: '      (thrown) => this.#fail(question, thrown),',
    hunt: { scenario: 'slowAnswers', by: 'explore', within: 200 },
  },
  {
    name: 'one revision more than allowed',
    file: 'src/runtime/tree/growth.ts',
    find: 'record.revisions >= this.#limits.maxRevisions',
    replace: 'record.revisions > this.#limits.maxRevisions',
    hunt: { scenario: 'limits', by: 'explore', within: 100 },
  },
  {
    name: 'a tree grows one node beyond its limit',
    file: 'src/runtime/tree/decisions.ts',
    find: 'limits.maxNodes - tree.size)',
    replace: 'limits.maxNodes - tree.size + 1)',
    hunt: { scenario: 'limits', by: 'explore', within: 50 },
  },
  {
    name: 'pruning lets what already runs go on',
    file: 'src/runtime/tree/growth.ts',
    find: 'this.#site.cancelPruned(job as JobActor)',
    replace: '',
    hunt: { scenario: 'satisfied', by: 'explore', within: 200 },
  },
  // Taking up what a process has left.
  {
    name: 'a backoff is forgotten when its process dies',
    file: 'src/runtime/pool/supervisor.ts',
    find: 'state === DELAYED || isRunning(state) ? deadlineAt : 0',
    replace: 'isRunning(state) ? deadlineAt : 0',
    hunt: { scenario: 'crashes', by: 'explore', within: 200 },
  },
  {
    name: 'an attempt that died with its process is waited for',
    file: 'src/runtime/pool/recovery.ts',
    find: 'if (isRunning(stateOf(job.stateValue)))',
    replace: 'if (job.priority < 0)',
    hunt: { scenario: 'crashes', by: 'explore', within: 200 },
  },
  {
    name: 'what depends on others is not linked to them again',
    file: 'src/runtime/pool/recovery.ts',
    find: 'link(supervisor, job, found)',
    replace: 'void found',
    hunt: { scenario: 'crashes', by: 'explore', within: 200 },
  },
  // Resources.
  {
    name: 'what an ended job held is not given back',
    file: 'src/runtime/pool/supervisor.ts',
    find: `this.holdings.giveBack(job.demand)
    if (attempt`,
    replace: 'if (attempt',
    hunt: { scenario: 'resources', by: 'explore', within: 100 },
  },
  {
    name: 'what a zombie holds is given away',
    file: 'src/runtime/pool/supervisor.ts',
    find: 'if (!hasEnded && !releaseZombies) return',
    replace: 'if (!hasEnded && !releaseZombies) return void this.holdings.giveBack(job.demand)',
    hunt: { scenario: 'resources', by: 'explore', within: 2_000 },
  },
  {
    name: 'a resource is taken for free while any of it is left',
    file: 'src/domain/resources.ts',
    find: 'return (this.#held.get(name) ?? 0) + (units[index] as number) <= limit',
    replace: 'return (this.#held.get(name) ?? 0) + 0 * (units[index] as number) < limit',
    hunt: { scenario: 'resources', by: 'explore', within: 20 },
  },
  {
    name: 'a small demand passes a large one that waits for the same',
    file: 'src/runtime/scheduling/resource-lines.ts',
    find: 'if (!names.some((name) => awaited.has(name)) && this',
    replace: 'if (this',
    hunt: { scenario: 'resources', by: 'explore', within: 100 },
  },
  // A store that refuses.
  {
    name: 'a counter is changed before a refused commit',
    file: 'src/runtime/pool/take-back.ts',
    find: 'pool.counts.move(staged, state, job.priority)',
    replace: 'void staged',
    hunt: { scenario: 'refusals', by: 'explore', within: 100 },
  },
  {
    name: 'a slot is granted before a refused commit',
    file: 'src/runtime/pool/take-back.ts',
    find: `      pool.slots.free()
      pool.holdings.giveBack(job.demand)`,
    replace: '      pool.holdings.giveBack(job.demand)',
    hunt: { scenario: 'refusals', by: 'explore', within: 500 },
  },
  {
    name: 'a job knows what its store has refused',
    file: 'src/runtime/record/durable-job.ts',
    find: `    this.#staged = undefined
    this.#pending = 0
    if (this.#isAccepted) return true`,
    replace: '    if (this.#isAccepted) return true',
    hunt: { scenario: 'refusals', by: 'explore', within: 100 },
  },
  {
    name: 'the end of an attempt is lost with a refused commit',
    file: 'src/runtime/pool/take-back.ts',
    find: '  return facts\n',
    replace: '  return facts.slice(1)\n',
    hunt: { scenario: 'refusals', by: 'explore', within: 500 },
  },
  // Promises that none of these breaks first.
  {
    name: 'jobs start while the pool is paused',
    file: 'src/runtime/pool/granting.ts',
    find: "return pool.hasTag('dispatching') ||",
    replace: "return pool.hasTag('dispatching') || pool.value.dispatch === 'paused' ||",
    hunt: { scenario: 'priorities', by: 'explore', within: 100 },
  },
  {
    name: 'the end of a failed job is told twice',
    file: 'src/runtime/pool/announcer.ts',
    find: 'this.events.emit({ type, at, jobId, nodeId, treeId, ...facts } as PoolStreamEvent)',
    replace: `for (const _ of type === 'job.failed' ? [1, 2] : [1])
      this.events.emit({ type, at, jobId, nodeId, treeId, ...facts } as PoolStreamEvent)`,
    hunt: { scenario: 'diamond', by: 'explore', within: 200 },
  },
  {
    name: 'nobody is told that a node was cancelled',
    file: 'src/runtime/tree/tree-run.ts',
    find: "if (this.#isHeard('node.changed')) this",
    replace: "if (this.#isHeard('node.changed') && record.node.status !== 'cancelled') this",
    hunt: { scenario: 'diamond', by: 'explore', within: 100 },
  },
  {
    name: 'a delayed job is left behind when its process dies',
    file: 'src/runtime/pool/recovery.ts',
    find: 'recoverJobs(store.jobs(undefined, { isOpen: true }), recovered',
    replace:
      "recoverJobs([...store.jobs(undefined, { isOpen: true })].filter(({ state }) => state !== 'queued.delayed'), recovered",
    hunt: { scenario: 'crashes', by: 'explore', within: 100 },
  },
  {
    name: 'it is not stored how many attempts were lost',
    file: 'src/runtime/record/job-record.ts',
    find: 'const { attempt, lost, deadlineAt, startedAt, stopping, queuedAt } = context',
    replace: 'const { attempt, deadlineAt, startedAt, stopping, queuedAt } = context; const lost = 0',
    hunt: { scenario: 'crashes', by: 'explore', within: 100 },
  },
]
