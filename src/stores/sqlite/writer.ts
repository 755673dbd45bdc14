import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { NodeRecord, RunRecord, StoreBatch, StoreEvent } from '../../ports/run-store.ts'
import { EntryTexts } from './entries.ts'
import { JobRows } from './job-rows.ts'

/** A row of the journal has no more events than this: whoever looks for one reads its row. */
const EVENTS_PER_ROW = 256

/** What a batch had. */
interface Written {
  /** The highest of the jobs that got their rows; 0 when none did. */
  readonly lastKey: number
  /** How many jobs and runs have ended. */
  readonly ended: number
}

/** Writes batches: each row once, several rows with a statement. */
export class Writer {
  readonly #journal: StatementSync
  readonly #pending: StatementSync
  readonly #texts = new EntryTexts()
  readonly #jobs: JobRows
  readonly #run: StatementSync
  readonly #hasRun: StatementSync
  readonly #input: StatementSync
  readonly #node: StatementSync

  constructor(db: DatabaseSync) {
    this.#journal = db.prepare('INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?)')
    this.#pending = db.prepare(
      'UPDATE journal SET pending_seq = ? WHERE first_seq = (SELECT max(first_seq) FROM journal)',
    )
    this.#jobs = new JobRows(db, this.#texts)
    this.#run = db.prepare(
      `INSERT INTO runs (id, workflow, source, executor, limits, status, reason, created_at, ended_at, snapshot, value, error,
       decisions, forked_from, owned_since, first_seq) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET source = excluded.source, executor = excluded.executor, limits = excluded.limits, status = excluded.status,
       reason = excluded.reason, ended_at = excluded.ended_at, snapshot = excluded.snapshot, value = excluded.value,
       error = excluded.error, decisions = excluded.decisions, owned_since = excluded.owned_since`,
    )
    this.#hasRun = db.prepare('SELECT 1 FROM runs WHERE id = ?')
    this.#input = db.prepare('INSERT INTO inputs VALUES (?, ?)')
    this.#node = db.prepare('INSERT OR REPLACE INTO nodes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
  }

  /** Inside a transaction of the caller's. @param firstSeq - The number of the batch's first event. */
  write({ events, submitted, changed, runs, nodes, pendingSeq }: StoreBatch, firstSeq: number): Written {
    let lastKey = 0
    let ended = 0
    const lastSeq = firstSeq + events.length - 1
    const jobs = this.#jobs
    if (events.length > 0) this.#addEvents(events, pendingSeq)
    else this.#pending.run(pendingSeq ?? firstSeq)
    try {
      for (const job of submitted) {
        jobs.add(job, lastSeq)
        lastKey = Math.max(lastKey, job.key)
        if (job.end !== undefined) ended++
      }
      for (const job of changed) {
        jobs.change(job, lastSeq)
        if (job.end !== undefined) ended++
      }
      jobs.flush()
    } catch (error) {
      jobs.drop()
      throw error
    }
    for (const run of runs) {
      this.#putRun(run, firstSeq)
      if (run.endedAt !== undefined) ended++
    }
    for (const node of nodes) this.#putNode(node)
    return { lastKey, ended }
  }

  #addEvents(events: readonly StoreEvent[], pendingSeq: number | undefined): void {
    const afterLast = (events[0] as StoreEvent).seq + events.length
    for (let from = 0; from < events.length; from += EVENTS_PER_ROW) {
      const to = Math.min(from + EVENTS_PER_ROW, events.length)
      const { seq, at } = events[from] as StoreEvent
      this.#texts.since = at
      let text = '['
      let poolSeq: number | null = null
      for (let index = from; index < to; index++) {
        const event = events[index] as StoreEvent
        if (index > from) text += ','
        text += this.#texts.textOf(event)
        if (event.event.type === 'pool.created') poolSeq = event.seq
      }
      this.#journal.run(seq, at, to - from, pendingSeq ?? afterLast, poolSeq, `${text}]`)
    }
  }

  #putRun(run: RunRecord, firstSeq: number): void {
    if (run.input !== undefined && this.#hasRun.get(run.id) === undefined) this.#input.run(run.id, run.input)
    this.#run.run(
      ...[
        run.id,
        run.workflow,
        run.source ?? null,
        run.executor ?? null,
        run.limits,
        run.status,
        run.reason ?? null,
      ],
      ...[run.createdAt, run.endedAt ?? null, run.snapshot, run.value ?? null, run.error ?? null],
      ...[run.decisions, run.forkedFrom ?? null, run.ownedSince ?? null, firstSeq],
    )
  }

  #putNode(node: NodeRecord): void {
    const { runId, place, id, parentId, spec, score, jobs, revisions, isPruned, decision } = node
    this.#node.run(
      ...[runId, place, id, parentId ?? null, spec, score ?? null, jobs, revisions, Number(isPruned)],
      decision ?? null,
    )
  }
}
