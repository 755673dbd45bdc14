import { PRIORITIES, type Priority } from '../../domain/priority.ts'
import { decodeBlock } from '../../protocol/block.ts'
import { DECISION_TYPES, JOB_STATES, NODE_STATES, RUN_REASONS, RUN_STATES } from '../../protocol/journal.ts'
import type { JobFilter, JobPage, JobSummary, RunSummary } from '../../protocol/messages.ts'
import { RunModel } from '../../protocol/model.ts'
import type { JobSort, Query, QueryResults, TreeNodeSummary, TreeResult } from './query.ts'

type Matches = (job: number) => boolean

/** Answers questions about the jobs and trees of a journal. */
export class JobQueries {
  readonly #model = new RunModel()
  readonly #idPrefix: string

  constructor(idPrefix: string) {
    this.#idPrefix = idPrefix
  }

  /** What the journal has come to. */
  get model(): RunModel {
    return this.#model
  }

  /** Takes the next block. */
  take(block: Uint8Array): void {
    this.#model.apply(decodeBlock(block))
  }

  answer(query: Query): QueryResults[Query['type']] {
    switch (query.type) {
      case 'jobs':
        return this.#page(query.filter, query.sort, query.from, query.limit)
      case 'ids':
        return this.#find(query.filter).map((job) => this.#idOf(job))
      case 'runs':
        return this.#runs()
      case 'tree':
        return this.#tree(query.runId)
    }
  }

  #page(filter: JobFilter, sort: JobSort, from: number, limit: number): JobPage {
    const found = this.#find(filter)
    this.#sort(found, sort)
    const jobs = found.slice(from, from + limit)
    return {
      jobs: jobs.map((job) => this.#summaryOf(job)),
      total: found.length,
      known: this.#model.jobs.state.length,
      ...(from + limit < found.length ? { next: String(from + limit) } : {}),
      facets: {
        states: this.#count(found, (job) => JOB_STATES[this.#model.jobs.state.get(job)] as string),
        kinds: this.#count(found, (job) => this.#kindOf(job)),
        priorities: this.#count(found, (job) => PRIORITIES[this.#model.jobs.priority.get(job)] as string),
      },
    }
  }

  #find(filter: JobFilter): number[] {
    const tests = this.#testsOf(filter)
    const found: number[] = []
    const { length } = this.#model.jobs.state
    for (let job = 0; job < length; job++) if (tests.every((matches) => matches(job))) found.push(job)
    return found
  }

  #testsOf({ states, kinds, priorities, treeId, text }: JobFilter): Matches[] {
    const model = this.#model
    const tests: Matches[] = []
    if (states !== undefined) {
      const wanted = new Set(JOB_STATES.flatMap((state, index) => (isAmong(state, states) ? index : [])))
      tests.push((job) => wanted.has(model.jobs.state.get(job)))
    }
    if (priorities !== undefined) {
      const wanted = new Set(priorities.map((priority) => PRIORITIES.indexOf(priority)))
      tests.push((job) => wanted.has(model.jobs.priority.get(job)))
    }
    if (kinds !== undefined) tests.push((job) => kinds.includes(this.#kindOf(job)))
    if (treeId !== undefined) tests.push((job) => model.text(model.tables.jobs.treeId.get(job)) === treeId)
    if (text !== undefined && text !== '') {
      const wanted = text.toLowerCase()
      tests.push((job) => this.#textsOf(job).some((part) => part.toLowerCase().includes(wanted)))
    }
    return tests
  }

  #textsOf(job: number): string[] {
    return [this.#idOf(job), this.#kindOf(job), this.#labelOf(job) ?? '', this.#errorOf(job) ?? '']
  }

  /** Found jobs are in order of submission. */
  #sort(jobs: number[], sort: JobSort): void {
    const { startedAt, endedAt } = this.#model.jobs
    const { lastAt } = this.#model
    const ranFor = (job: number) => {
      const from = startedAt.get(job)
      return from < 0 ? -1 : (endedAt.get(job) < 0 ? lastAt : endedAt.get(job)) - from
    }
    if (sort === 'newest') jobs.reverse()
    else if (sort === 'longest') jobs.sort((a, b) => ranFor(b) - ranFor(a))
  }

  #count(jobs: readonly number[], keyOf: (job: number) => string): Record<string, number> {
    const counts = new Map<string, number>()
    for (const job of jobs) {
      const key = keyOf(job)
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    return Object.fromEntries(counts)
  }

  #summaryOf(job: number): JobSummary {
    const model = this.#model
    const { jobs, tables } = model
    const state = JOB_STATES[jobs.state.get(job)] as string
    const label = this.#labelOf(job)
    const nodeId = model.nodeId(job)
    const treeId = model.text(tables.jobs.treeId.get(job))
    const error = this.#errorOf(job)
    return {
      id: this.#idOf(job),
      state,
      status: state.split('.')[0] as JobSummary['status'],
      kind: this.#kindOf(job),
      priority: PRIORITIES[jobs.priority.get(job)] as Priority,
      score: tables.jobs.score.get(job),
      attempts: jobs.attempts.get(job),
      queuedAt: jobs.queuedAt.get(job),
      ...timeOf('startedAt', jobs.startedAt.get(job)),
      ...timeOf('endedAt', jobs.endedAt.get(job)),
      ...(label === undefined ? {} : { label }),
      ...(nodeId === '' ? {} : { nodeId }),
      ...(treeId === '' ? {} : { treeId }),
      ...(error === undefined ? {} : { error }),
    }
  }

  #idOf(job: number): string {
    return this.#model.jobId(job, this.#idPrefix)
  }

  #kindOf(job: number): string {
    const { jobs, tables } = this.#model
    const node = jobs.node.get(job) - 1
    return this.#model.text(node < 0 ? tables.jobs.kind.get(job) : tables.nodes.handler.get(node))
  }

  #labelOf(job: number): string | undefined {
    const node = this.#model.jobs.node.get(job) - 1
    return node < 0 ? undefined : this.#model.text(this.#model.tables.nodes.label.get(node))
  }

  #errorOf(job: number): string | undefined {
    const error = this.#model.jobs.error.get(job) - 1
    return error < 0 ? undefined : this.#model.text(this.#model.tables.errors.message.get(error))
  }

  #runs(): RunSummary[] {
    const { tables, runs } = this.#model
    const counts: number[] = []
    for (let node = 0; node < tables.nodes.run.length; node++) {
      const run = tables.nodes.run.get(node)
      counts[run] = (counts[run] ?? 0) + 1
    }
    return Array.from({ length: runs.state.length }, (_, run) => {
      const reason = RUN_REASONS[runs.reason.get(run) - 1]
      return {
        runId: this.#model.text(tables.runs.id.get(run)),
        workflow: this.#model.text(tables.runs.workflow.get(run)),
        strategy: this.#model.text(tables.runs.strategy.get(run)),
        state: RUN_STATES[runs.state.get(run)] as string,
        nodes: counts[run] ?? 0,
        ...(reason === undefined ? {} : { reason }),
        ...timeOf('startedAt', runs.startedAt.get(run)),
        ...timeOf('endedAt', runs.endedAt.get(run)),
      }
    })
  }

  #tree(runId: string): TreeResult | undefined {
    const { tables, runs } = this.#model
    let run = 0
    while (run < runs.state.length && this.#model.text(tables.runs.id.get(run)) !== runId) run++
    if (run === runs.state.length) return undefined
    const nodes: TreeNodeSummary[] = []
    for (let node = 0; node < tables.nodes.run.length; node++) {
      if (tables.nodes.run.get(node) === run) nodes.push(this.#nodeSummaryOf(node))
    }
    return { runId, nodes }
  }

  #nodeSummaryOf(node: number): TreeNodeSummary {
    const { tables, nodes } = this.#model
    const parent = tables.nodes.parent.get(node) - 1
    const job = nodes.job.get(node) - 1
    const score = nodes.score.get(node)
    const decision = nodes.decision.get(node) - 1
    return {
      id: `n${tables.nodes.number.get(node)}`,
      depth: tables.nodes.depth.get(node),
      handler: this.#model.text(tables.nodes.handler.get(node)),
      label: this.#model.text(tables.nodes.label.get(node)),
      status: NODE_STATES[nodes.state.get(node)] as string,
      jobId: job < 0 ? '' : this.#idOf(job),
      revisions: nodes.revisions.get(node),
      ...(parent < 0 ? {} : { parentId: `n${tables.nodes.number.get(parent)}` }),
      ...(Number.isNaN(score) ? {} : { score }),
      ...(decision < 0 ? {} : { decision: this.#decisionOf(decision) }),
    }
  }

  #decisionOf(row: number): NonNullable<TreeNodeSummary['decision']> {
    const { decisions } = this.#model.tables
    const why = this.#model.text(decisions.why.get(row))
    const cut = this.#model.text(decisions.cut.get(row))
    return {
      type: DECISION_TYPES[decisions.type.get(row)] as string,
      nodes: decisions.nodes.get(row),
      ...(why === '' ? {} : { why }),
      ...(cut === '' ? {} : { cut: JSON.parse(cut) as unknown }),
    }
  }
}

/** A time that there may not be. */
function timeOf<Name extends string>(name: Name, at: number): { readonly [Key in Name]?: number } {
  return (at < 0 ? {} : { [name]: at }) as { readonly [Key in Name]?: number }
}

/** Whether a leaf state is named, by itself or by its status. */
function isAmong(state: string, wanted: readonly string[]): boolean {
  return wanted.includes(state) || wanted.includes(state.split('.')[0] as string)
}
