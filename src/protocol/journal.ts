import { JOB_STATES } from '../domain/job.ts'

/**
 * The journal of a pool: what has happened, as tables of columns that only grow.
 *
 * Everything the inspector shows is a fold of it. It is cut into blocks, numbered from 0, that each append rows to some
 * tables; live they arrive one by one, in a recording they lie one behind the other. A row is named by its number: its
 * place in its table, from 0, over all blocks. A column that names a row of another table, and may name none, holds the
 * number plus 1, and 0 for none.
 */
export const TABLES = {
  /** Texts, each named by its number. Number 0 is the empty text, and is in no block. */
  strings: {},
  /** A job as it was accepted. Its first event follows, `job.submitted`. */
  jobs: {
    /** Its place in the pool's order of submission. */
    sequence: 'long',
    /**
     * String; 0 when the pool made the id: the recording's `idPrefix`, then `sequence` in base 36; -1 when the tree did:
     * `treeId`, a dot, and `nodeId`.
     */
    id: 'int',
    /** String: the name of what it runs. */
    kind: 'int',
    /** String: `nodeId`, as given; 0 when `node` tells it. */
    nodeId: 'int',
    /** 1 more than the number in a `nodeId` such as `n12`; 0 for any other, or none. */
    node: 'int',
    /** String: `treeId`, as given; of a workflow's job the run. */
    treeId: 'int',
    /** String: the name of its executor. */
    executor: 'int',
    /** Index into `PRIORITIES`. */
    priority: 'byte',
    score: 'float',
  },
  /** One row for each job and job it depends on. */
  dependencies: {
    /** Job. */
    job: 'int',
    /** Job. Dependencies that had been forgotten before are not listed. */
    on: 'int',
  },
  /** What happened, in order. */
  events: {
    /** In µs since the recording's `startedAt`. */
    at: 'long',
    /** Index into {@link EVENTS}. */
    code: 'byte',
    /** The row it happened to: of `jobs`, `nodes` or `runs`, as {@link EVENTS} tells; 0 for the pool. */
    subject: 'int',
    /** The state after it: an index into `JOB_STATES`, {@link NODE_STATES}, {@link RUN_STATES} or {@link POOL_STATES}. */
    state: 'byte',
    /** What {@link EVENTS} tells for the code. */
    detail: 'int',
  },
  /** What attempts threw. */
  errors: {
    /** Job. */
    job: 'int',
    attempt: 'int',
    /** String, as those that follow; `code` is of the error table, or the system's. */
    name: 'int',
    code: 'int',
    message: 'int',
    stack: 'int',
    /** String: the name and message of each cause, the nearest first, a line each; 0 for none. */
    causes: 'int',
  },
  /** Cancellations, as they were asked for. */
  cancels: {
    /** Job. */
    job: 'int',
    /** Index into {@link CANCEL_SOURCES}. */
    by: 'byte',
    /** String. */
    reason: 'int',
    /** Job plus 1: the dependency whose end cancelled it. */
    causedBy: 'int',
  },
  /** A node as it was grown: when its job was submitted. Its state is its job's. */
  nodes: {
    /** Run. */
    run: 'int',
    /** Its id is `n` and this number. */
    number: 'int',
    /** Node plus 1; 0 for a root. */
    parent: 'int',
    depth: 'int',
    /** Job plus 1. */
    job: 'int',
    /** String, as the two that follow; `key` may be 0. */
    handler: 'int',
    label: 'int',
    key: 'int',
    /** `NaN` for none. */
    score: 'float',
  },
  /** What `expand` has decided. */
  decisions: {
    /** Node. */
    node: 'int',
    /** Index into {@link DECISION_TYPES}. */
    type: 'byte',
    /** String; 0 for none. */
    why: 'int',
    /** `NaN` for none. */
    score: 'float',
    /** How many nodes it grew, pruned or ran again. */
    nodes: 'int',
    /** String: JSON of what was cut, `[{"by":"maxNodes","count":3}]`; 0 for nothing. */
    cut: 'int',
    /** String: what went wrong when `expand` was asked; 0 for nothing. */
    error: 'int',
  },
  /** A run of a workflow. */
  runs: {
    /** String, as the two that follow. */
    id: 'int',
    workflow: 'int',
    strategy: 'int',
  },
  /** The pool and the process, once a second while anything happens. */
  samples: {
    /** In µs since `startedAt`. */
    at: 'long',
    /** Slots that are not free, and their limit. */
    busy: 'int',
    limit: 'int',
    /** Jobs that wait for a slot. */
    ready: 'int',
    /** Jobs that wait for a dependency or an instant. */
    waiting: 'int',
    /** In KiB. */
    rss: 'int',
    heap: 'int',
    /** How late the event loop was at most since the last sample, in µs. */
    lag: 'int',
    /** The process's share of one processor since the last sample, in percent. */
    cpu: 'int',
  },
  /** Lines that attempts have logged, or written; of a job at most 1,000, and one that says that there were more. */
  logs: {
    /** In µs since `startedAt`. */
    at: 'long',
    /** Job. */
    job: 'int',
    attempt: 'int',
    /** String, at most 2,000 characters. */
    line: 'int',
    /** Index into {@link LOG_STREAMS}. */
    stream: 'byte',
  },
  /** Whatever else a page needs to have at hand; a later one of the same name replaces the earlier. */
  documents: {
    /** String: `chart/<machine id>` is a `Chart` of this package, `machine/<hash>` a `MachineDocument`. */
    name: 'int',
    /** String: JSON. */
    text: 'int',
  },
  /** What an attempt used, where its executor tells. */
  usages: {
    /** Job. */
    job: 'int',
    attempt: 'int',
    /** Processor time, in µs; -1 where it is not known. */
    cpu: 'long',
    /** The most memory it was seen to hold, in KiB; -1 likewise. */
    memory: 'int',
  },
  /** Where the actor was that is the body of an attempt: a row when it began, and one for each other state. */
  bodies: {
    /** In µs since `startedAt`. */
    at: 'long',
    /** Job. */
    job: 'int',
    attempt: 'int',
    /** String: the hash of its machine, whose chart is the document `machine/<hash>`; 0 for an actor that is no machine. */
    machine: 'int',
    /** String: JSON, the ids of its active states; 0 where they are not known, and after the last that is recorded. */
    active: 'int',
  },
} as const satisfies Record<string, Readonly<Record<string, ColumnType>>>

/**
 * How a column is held: `byte` from 0 to 255, `int` from -2³¹ to 2³¹-1, `long` any whole number, `float` any number
 * to 7 digits.
 */
export type ColumnType = 'byte' | 'int' | 'long' | 'float'

export type TableName = keyof typeof TABLES
export type ColumnTable = Exclude<TableName, 'strings'>
export type ColumnName<Table extends ColumnTable> = keyof (typeof TABLES)[Table] & string

export const TABLE_NAMES = Object.keys(TABLES) as TableName[]
export const COLUMN_TABLES = TABLE_NAMES.filter((name): name is ColumnTable => name !== 'strings')

interface Arrays {
  byte: Uint8Array
  int: Int32Array
  long: Float64Array
  float: Float32Array
}

/** Rows of a table: its columns, all of the same length. */
export type Columns<Table extends ColumnTable> = {
  readonly [Column in ColumnName<Table>]: Arrays[(typeof TABLES)[Table][Column] & ColumnType]
}

/** A block, decoded: the rows that it appends to each table. */
export interface Block {
  readonly strings: readonly string[]
  readonly tables: { readonly [Table in ColumnTable]: Columns<Table> }
}

/** What can happen: to what, and what `detail` holds. Codes are places in this list, so new ones go to its end. */
export const EVENTS = [
  /** Accepted; `detail` 0. */
  { name: 'job.submitted', subject: 'job' },
  { name: 'dependencies.met', subject: 'job' },
  { name: 'slot.granted', subject: 'job' },
  /** The executor has been given the attempt: `detail` is the slot. The attempt's number is counted by these events. */
  { name: 'attempt.started', subject: 'job' },
  /** `detail`: row of `errors` plus 1 when the job has failed by it; else 0. */
  { name: 'deadline.reached', subject: 'job' },
  /** `detail`: row of `cancels` plus 1; 0 for none. */
  { name: 'job.cancel', subject: 'job' },
  { name: 'attempt.completed', subject: 'job' },
  /** `detail`: row of `errors` plus 1; 0 for none. */
  { name: 'attempt.failed', subject: 'job' },
  /** An event reached the job and changed nothing: `detail` is the code of that event. */
  { name: 'job.ignored', subject: 'job' },
  /** The attempt ignores its signal and runs on; the job has settled. `detail`: 1 when its slot is free all the same. */
  { name: 'attempt.abandoned', subject: 'job' },
  /** What was abandoned has ended, its slot is free. */
  { name: 'attempt.ended', subject: 'job' },
  /** `detail`: the fraction in thousandths. */
  { name: 'attempt.progressed', subject: 'job' },
  /** Moved in the queue: `detail` is the new index into `PRIORITIES`. */
  { name: 'job.prioritised', subject: 'job' },
  /** What its job does not tell: it was pruned, or runs again with another job: `detail` is that job plus 1. */
  { name: 'node.changed', subject: 'node' },
  /** `detail`: row of `decisions` plus 1. */
  { name: 'node.decided', subject: 'node' },
  { name: 'run.started', subject: 'run' },
  /** No more growth: what runs drains, or is cancelled. */
  { name: 'run.settling', subject: 'run' },
  /** `detail`: index into {@link RUN_REASONS}. */
  { name: 'run.ended', subject: 'run' },
  { name: 'pool.paused', subject: 'pool' },
  { name: 'pool.resumed', subject: 'pool' },
  { name: 'pool.throttled', subject: 'pool' },
  { name: 'pool.unthrottled', subject: 'pool' },
  /** `detail`: the new limit. */
  { name: 'pool.limited', subject: 'pool' },
  { name: 'pool.draining', subject: 'pool' },
  { name: 'pool.closed', subject: 'pool' },
] as const

export type EventName = (typeof EVENTS)[number]['name']
export type EventSubject = (typeof EVENTS)[number]['subject']

/** The code of an event, by its name. */
export const EVENT_CODES = Object.fromEntries(EVENTS.map(({ name }, code) => [name, code])) as Readonly<
  Record<EventName, number>
>

/** The events that tell an error. */
export const FAILURES: ReadonlySet<number> = new Set([
  EVENT_CODES['attempt.failed'],
  EVENT_CODES['deadline.reached'],
])

export { JOB_STATES }
export const NODE_STATES = ['queued', 'running', 'completed', 'failed', 'cancelled', 'pruned'] as const
export const CANCEL_SOURCES = ['user', 'dependency', 'tree', 'shutdown'] as const
/** Where a line comes from: the attempt's `log`, or what it wrote. */
export const LOG_STREAMS = ['log', 'stdout', 'stderr'] as const
export const DECISION_TYPES = ['grow', 'stop', 'revise', 'prune', 'satisfy'] as const
export const RUN_REASONS = ['satisfied', 'exhausted', 'limit', 'failed', 'cancelled'] as const
/** The leaf states of the orchestrator's chart. */
export const RUN_STATES = [
  'queued',
  'running.growing',
  'running.settling',
  'completed',
  'failed',
  'cancelled',
] as const
/** The states of the pool's two regions, in pairs. */
export const POOL_STATES = [
  ['accepting', 'open'],
  ['accepting', 'paused'],
  ['accepting', 'throttled'],
  ['draining', 'open'],
  ['draining', 'paused'],
  ['draining', 'throttled'],
  ['closed', 'open'],
  ['closed', 'paused'],
  ['closed', 'throttled'],
] as const

/** A block that appends nothing. */
export function emptyBlock(): Block {
  const tables = Object.fromEntries(COLUMN_TABLES.map((table) => [table, newColumns(table, 0)]))
  return { strings: [], tables: tables as Block['tables'] }
}

/** Columns of so many rows, all 0. */
export function newColumns<Table extends ColumnTable>(table: Table, rows: number): Columns<Table> {
  const columns = Object.entries<ColumnType>(TABLES[table]).map(([name, type]) => [
    name,
    newArray(type, rows),
  ])
  return Object.fromEntries(columns) as Columns<Table>
}

/** How many rows columns have. */
export function rowsOf(columns: Columns<ColumnTable>): number {
  for (const column of Object.values<ArrayLike<number>>(columns)) return column.length
  return 0
}

function newArray(type: ColumnType, rows: number): Uint8Array | Int32Array | Float64Array | Float32Array {
  switch (type) {
    case 'byte':
      return new Uint8Array(rows)
    case 'int':
      return new Int32Array(rows)
    case 'long':
      return new Float64Array(rows)
    case 'float':
      return new Float32Array(rows)
  }
}
