import { present } from '../../domain/present.ts'
import type { PoolStreamEvent } from '../../runtime/events/events.ts'
import type { RunStreamEvent } from '../../runtime/events/run-events.ts'

/** One line of a journal, as JSON: a deed, or what the pool or the run told. `at` is ms since the world began. */
export interface JournalEntry {
  readonly at: number
  readonly type: string
  readonly [fact: string]: unknown
}

/** An event of the pool or of a run, in short: names instead of whole nodes and results, and errors as texts. */
export function entryOf(event: PoolStreamEvent | RunStreamEvent, at: number): JournalEntry {
  switch (event.type) {
    case 'job.completed':
    case 'job.failed':
    case 'job.cancelled': {
      const { attempts, value, error, reason, causedBy } = event.result
      return {
        at,
        type: event.type,
        job: event.jobId,
        attempts,
        ...present({ value: plain(value), error: error?.message, reason, causedBy }),
      }
    }
    case 'job.started':
    case 'job.zombie':
      return { at, type: event.type, job: event.jobId, attempt: event.attempt }
    case 'job.retrying':
      return { at, type: event.type, job: event.jobId, attempt: event.attempt }
    case 'job.submitted':
      return { at, type: event.type, job: event.jobId, ...present({ node: event.nodeId }) }
    case 'job.ignored':
      return { at, type: event.type, job: event.jobId, event: event.event, status: event.status }
    case 'node.added': {
      const { id, parentId, handler, key } = event.node
      return { at, type: event.type, node: id, handler, ...present({ parent: parentId, key }) }
    }
    case 'node.changed':
      return { at, type: event.type, node: event.node.id, status: event.node.status }
    case 'node.decided': {
      const { type: decision, why, nodeIds, cut, error } = event.decision
      const told = present({ why, error: error?.message, nodes: some(nodeIds), cut: some(cut) })
      return { at, type: event.type, node: event.node.id, decision, ...told }
    }
    case 'run.ended': {
      const { status, reason, value } = event.outcome
      return { at, type: event.type, status, reason, ...present({ value: plain(value) }) }
    }
    case 'job.progress':
    case 'job.log':
      return { at, type: event.type, job: event.jobId }
    case 'node.progress':
      return { at, type: event.type, node: event.nodeId }
    case 'pool.limited':
      return { at, type: event.type, maxParallelJobs: event.maxParallelJobs }
    default:
      return { at, type: event.type }
  }
}

const some = <Item>(items: readonly Item[]): readonly Item[] | undefined =>
  items.length === 0 ? undefined : items

/** How long the text of one value may be in a journal or a state's key. */
const TEXT_LENGTH_MAX = 2_000

/** A value as JSON can carry it; what JSON cannot carry is told by its kind. */
export function plain(value: unknown): unknown {
  if (value === undefined || value === null || typeof value !== 'object') {
    return typeof value === 'function' || typeof value === 'symbol' || typeof value === 'bigint'
      ? String(value)
      : value
  }
  try {
    const text = JSON.stringify(value, (_, part) => (part instanceof Error ? { error: part.message } : part))
    return text.length > TEXT_LENGTH_MAX ? `${text.slice(0, TEXT_LENGTH_MAX)}…` : JSON.parse(text)
  } catch {
    return Object.prototype.toString.call(value)
  }
}
