import { EspalierError } from '../../domain/errors.ts'
import { JOB_STATES, POOL_STATES } from '../../protocol/journal.ts'
import type { FeedStatus } from '../../protocol/messages.ts'
import { decodeRecording, type RecordingHeader } from '../../protocol/recording.ts'
import { Downloads } from '../exports/downloads.ts'
import { JobQueries } from '../queries/job-queries.ts'
import { chartHandlers } from '../server/chart-handlers.ts'
import { PageServer, type ServeOptions } from '../server/page-server.ts'
import { readJobsQuery } from '../server/requests.ts'
import type { Handler } from '../server/server.ts'
import type { BlockSource, FeedViewer } from '../server/viewer.ts'

/**
 * Serves the page of a recording: it shows all and changes nothing.
 *
 * @throws {DecodeError} When it is no recording.
 */
export function serveRecording(
  recording: Uint8Array,
  options: Omit<ServeOptions, 'readOnly'> = {},
): PageServer {
  const source = new RecordedSource(recording)
  const { queries } = source
  const downloads = new Downloads()
  const absent: Handler = () => {
    throw new EspalierError('ESP_NOT_THERE', { what: 'pool: this is a recording' })
  }
  const handlers = {
    status: absent,
    metrics: absent,
    health: absent,
    job: absent,
    actor: absent,
    bodyChart: absent,
    command: absent,
    jobs: (request) => queries.answer({ type: 'jobs', ...readJobsQuery(request.query) }),
    runs: () => queries.answer({ type: 'runs' }),
    tree: (request) => {
      const { id: runId } = request.params as { readonly id: string }
      const tree = queries.answer({ type: 'tree', runId })
      if (tree === undefined) throw new EspalierError('ESP_NOT_THERE', { what: `run "${runId}"` })
      return tree
    },
    ...chartHandlers,
    recording: (_request, reply) => downloads.sendRecording(reply, recording),
    exported: (request, reply) => downloads.sendExport(request, reply, () => recording),
  } satisfies Record<string, Handler>
  return new PageServer(source, handlers, { ...options, readOnly: true })
}

/** A recording as a feed: all is there at once. */
class RecordedSource implements BlockSource {
  readonly header: RecordingHeader
  readonly blocks: readonly Uint8Array[]
  readonly missing = undefined
  readonly isRecorded = true
  readonly queries: JobQueries

  constructor(recording: Uint8Array) {
    const { header, blocks } = decodeRecording(recording)
    this.header = header
    this.blocks = blocks
    this.queries = new JobQueries(header.idPrefix)
    for (const block of blocks) this.queries.take(block)
  }

  join(viewer: FeedViewer): void {
    viewer.ended()
  }

  leave(): void {}

  eventsAfter(): number {
    return 0
  }

  status(): FeedStatus {
    const { jobCounts, lastAt, tables, poolState } = this.queries.model
    const last = tables.samples.at.length - 1
    const [lifecycle, dispatch] = POOL_STATES[poolState] ?? ['closed', 'open']
    const running = ['running.executing', 'running.stopping'] as const
    return {
      at: this.header.startedAt + lastAt / 1000,
      counts: Array.from(jobCounts),
      busy: running.reduce((sum, state) => sum + (jobCounts[JOB_STATES.indexOf(state)] ?? 0), 0),
      limit: last < 0 ? 0 : tables.samples.limit.get(last),
      zombies: 0,
      lifecycle,
      dispatch,
      jobsPerSecond: 0,
      block: this.blocks.length - 1,
      eventsBehind: 0,
      isSlow: false,
    }
  }
}
