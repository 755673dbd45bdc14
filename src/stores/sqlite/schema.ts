/** Says that a file is espalier's: "ESPA", in the header of the database. */
export const APPLICATION_ID = 0x45535041

/**
 * What takes a database from each version of the schema to the next; version 0 is an empty database.
 *
 * A version that was released is never changed. Everything is readable with any SQLite tool: times are epoch ms, what is
 * structured is JSON, and the views put together what the tables hold apart.
 *
 * A job's id that ends with its key in base 36, as a pool makes them, tells where its row is: only others (`is_named`) are
 * in an index.
 *
 * A row of the journal has the events of a tick, or a part of them: each `[at, key of the job, type, data]`, or
 * `[at, id, type, data, actor]` for a pool's or a run's. They are numbered from `first_seq`, and their times are 1/4096 ms since
 * that of the row; one that was pruned is `null`. A row for each event would take three times as long to write.
 *
 * A run's input lies apart from its row, which is written anew whenever the run changes.
 *
 * The journal is complete; the rows of `jobs` follow it. `pending_seq` in its last row is the number of the first event that no
 * row of `jobs` has yet: up to some thousands of jobs are behind while a pool works, none when it rests or has closed. What a
 * row has yet to get stands in the journal: the spec and the id with `job.submitted` (`[at, key, type, spec, id]`), the value
 * with `attempt.completed`; of other jobs only the row has these.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE owner (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    pid INTEGER NOT NULL,
    started TEXT NOT NULL,
    host TEXT NOT NULL,
    since REAL NOT NULL
  ) STRICT;

  CREATE TABLE runs (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    workflow TEXT NOT NULL,
    source TEXT,
    executor TEXT,
    limits TEXT NOT NULL,
    status TEXT NOT NULL,
    reason TEXT,
    created_at REAL NOT NULL,
    ended_at REAL,
    snapshot TEXT NOT NULL,
    value TEXT,
    error TEXT,
    decisions INTEGER NOT NULL,
    forked_from TEXT,
    owned_since REAL,
    first_seq INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE inputs (
    run TEXT PRIMARY KEY,
    value TEXT NOT NULL
  ) STRICT;

  CREATE TABLE nodes (
    run TEXT NOT NULL,
    place INTEGER NOT NULL,
    id TEXT NOT NULL,
    parent TEXT,
    spec TEXT NOT NULL,
    score REAL,
    jobs INTEGER NOT NULL,
    revisions INTEGER NOT NULL,
    is_pruned INTEGER NOT NULL,
    decision TEXT,
    PRIMARY KEY (run, place)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE jobs (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    is_named INTEGER NOT NULL,
    run TEXT,
    spec TEXT NOT NULL,
    queued_at REAL NOT NULL,
    state TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    lost INTEGER NOT NULL,
    deadline_at REAL,
    started_at REAL,
    stopping TEXT,
    ended_at REAL,
    value TEXT,
    output TEXT,
    error TEXT,
    reason TEXT,
    cancelled_by TEXT,
    caused_by TEXT,
    usage TEXT,
    cache_key TEXT,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX jobs_by_name ON jobs (id) WHERE is_named = 1;
  CREATE INDEX jobs_of_run ON jobs (run) WHERE run IS NOT NULL;
  CREATE INDEX jobs_by_content ON jobs (cache_key) WHERE cache_key IS NOT NULL;

  CREATE TABLE journal (
    first_seq INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    count INTEGER NOT NULL,
    pending_seq INTEGER NOT NULL,
    pool_seq INTEGER,
    events TEXT NOT NULL
  ) STRICT;
  CREATE INDEX pools ON journal (pool_seq) WHERE pool_seq IS NOT NULL;

  CREATE TABLE outputs (
    hash TEXT PRIMARY KEY,
    size INTEGER NOT NULL,
    value TEXT NOT NULL
  ) STRICT;

  CREATE VIEW events AS
    SELECT first_seq + event.key AS seq,
      iif(typeof(value ->> '$[0]') = 'text', CAST(value ->> '$[0]' AS REAL), journal.at + (value ->> '$[0]') / 4096.0) AS at,
      iif(typeof(value ->> '$[1]') = 'integer', 'job', value ->> '$[4]') AS actor,
      iif(typeof(value ->> '$[1]') = 'integer', value ->> '$[1]', NULL) AS job,
      iif(typeof(value ->> '$[1]') = 'integer', value ->> '$[4]', value ->> '$[1]') AS id,
      value ->> '$[2]' AS type, nullif(value -> '$[3]', 'null') AS data
    FROM journal, json_each(journal.events) AS event WHERE event.type <> 'null';

  CREATE VIEW attempts AS
    SELECT jobs.id AS job, jobs.run AS run, begun.attempt, begun.at AS started_at,
      CASE WHEN over.type IN ('attempt.completed', 'attempt.failed') THEN over.at END AS ended_at,
      CASE over.type WHEN 'attempt.completed' THEN 'completed'
        WHEN 'attempt.failed' THEN over.data ->> 'reason' END AS outcome,
      over.data -> 'error' AS error
    FROM (SELECT job, at, seq, row_number() OVER (PARTITION BY job ORDER BY seq) AS attempt
          FROM events WHERE type = 'slot.granted') AS begun
    JOIN jobs ON jobs.key = begun.job
    LEFT JOIN events AS over ON over.job = begun.job AND over.seq > begun.seq
      AND over.type IN ('attempt.completed', 'attempt.failed') AND over.data ->> 'attempt' = begun.attempt;

  CREATE VIEW trace AS
    SELECT events.seq, events.at, events.actor, coalesce(jobs.id, events.id) AS id, events.type, events.data
    FROM events LEFT JOIN jobs ON jobs.key = events.job;
  `,
]

export const SCHEMA_VERSION = MIGRATIONS.length
