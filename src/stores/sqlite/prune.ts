import type { DatabaseSync } from 'node:sqlite'
import { ENDED_STATUSES } from '../../domain/job.ts'
import type { ResolvedKeep } from '../../domain/keep.ts'
import type { PruneReport } from '../../ports/run-store.ts'
import { JobKeys } from './job-ids.ts'

/** Of the rows of the journal between the first and the last event of what goes; its last row stays, since numbers go on from it. */
const dropEvents = `
  CREATE TEMP TABLE gone_rows AS SELECT first_seq FROM journal WHERE first_seq <=
      max(coalesce((SELECT max(last_seq) FROM jobs WHERE key IN (SELECT key FROM gone_jobs)), 0),
        iif(EXISTS (SELECT 1 FROM gone_runs), (SELECT max(first_seq) FROM journal), 0))
    AND first_seq + json_array_length(events) > min(
      coalesce((SELECT min(first_seq) FROM jobs WHERE key IN (SELECT key FROM gone_jobs)), 9e15),
      coalesce((SELECT min(first_seq) FROM runs WHERE id IN (SELECT id FROM gone_runs)), 9e15));
  UPDATE journal SET events = (
      SELECT json_group_array(json(iif(iif(typeof(value ->> '$[1]') = 'integer', value ->> '$[1]' IN (SELECT key FROM gone_jobs),
        value ->> '$[1]' IN (SELECT id FROM gone_runs)), 'null', coalesce(value, 'null')))) FROM json_each(journal.events))
    WHERE first_seq IN (SELECT first_seq FROM gone_rows);
  UPDATE journal SET count = (SELECT count(*) FROM json_each(journal.events) AS event WHERE event.type <> 'null')
    WHERE first_seq IN (SELECT first_seq FROM gone_rows);
  DELETE FROM journal WHERE count = 0 AND first_seq < (SELECT max(first_seq) FROM journal)
    AND first_seq IN (SELECT first_seq FROM gone_rows);
  DROP TABLE gone_rows;`

/**
 * Lets go of ended runs with all that is theirs, and of ended jobs that stand alone; inside a transaction of the caller's.
 *
 * What others still need stays: a job that an open one depends on.
 *
 * @param now - Epoch ms, from which ages count.
 */
export function pruneRows(db: DatabaseSync, now: number, keep: ResolvedKeep): PruneReport {
  db.exec(
    'CREATE TEMP TABLE gone_runs (id TEXT PRIMARY KEY); CREATE TEMP TABLE gone_jobs (key INTEGER PRIMARY KEY)',
  )
  try {
    for (const status of ENDED_STATUSES) {
      const { count, ageMs } = keep[status]
      const before = Number.isFinite(ageMs) ? now - ageMs : Number.NEGATIVE_INFINITY
      const old = (of: string) => `ended_at < ? OR key NOT IN
        (SELECT key FROM ${of} ORDER BY ended_at DESC, key DESC LIMIT ?)`
      const runs = `(SELECT key, id, ended_at FROM runs WHERE status = '${status}')`
      db.prepare(`INSERT INTO gone_runs SELECT id FROM ${runs} WHERE ${old(runs)}`).run(before, count)
      const jobs = `(SELECT key, ended_at FROM jobs WHERE run IS NULL AND state = '${status}')`
      db.prepare(`INSERT INTO gone_jobs SELECT key FROM ${jobs} WHERE ${old(jobs)}`).run(before, count)
    }
    keepNeeded(db)
    const gone = 'SELECT (SELECT count(*) FROM gone_runs) AS runs, (SELECT count(*) FROM gone_jobs) AS jobs'
    const report = { ...(db.prepare(gone).get() as unknown as PruneReport) }
    db.exec(`
      INSERT INTO gone_jobs SELECT key FROM jobs WHERE run IN (SELECT id FROM gone_runs);
      ${dropEvents}
      DELETE FROM nodes WHERE run IN (SELECT id FROM gone_runs);
      DELETE FROM jobs WHERE key IN (SELECT key FROM gone_jobs);
      DELETE FROM inputs WHERE run IN (SELECT id FROM gone_runs);
      DELETE FROM runs WHERE id IN (SELECT id FROM gone_runs);
      DELETE FROM outputs WHERE hash NOT IN (SELECT output FROM jobs WHERE output IS NOT NULL);
    `)
    return report
  } finally {
    db.exec('DROP TABLE gone_runs; DROP TABLE gone_jobs')
  }
}

function keepNeeded(db: DatabaseSync): void {
  const keys = new JobKeys(db)
  const needed = db.prepare(`SELECT DISTINCT dependency.value AS id
    FROM jobs AS open, json_each(open.spec, '$.dependencies') AS dependency
    WHERE open.run IS NULL AND open.ended_at IS NULL`)
  const keep = db.prepare('DELETE FROM gone_jobs WHERE key = ?')
  for (const { id } of needed.all()) {
    const key = keys.keyOf(String(id))
    if (key !== undefined) keep.run(key)
  }
}
