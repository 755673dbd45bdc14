import type { FastifyRequest } from 'fastify'
import type { AnyActorRef } from 'xstate'
import { checkName, checkObject, checkPositive } from '../domain/check.ts'
import { EspalierError } from '../domain/errors.ts'
import type { ActorDetail } from '../protocol/messages.ts'
import { PoolCore } from '../runtime/pool/job-pool.ts'
import { eventsForJob, eventsForPool } from './actors/accepted-events.ts'
import { Commands } from './actors/commands.ts'
import { actorDetail, jobDetail } from './actors/details.ts'
import { Downloads } from './exports/downloads.ts'
import { Feed } from './feed/feed.ts'
import { chartDocuments } from './files/charts.ts'
import { chartHandlers } from './server/chart-handlers.ts'
import { PageServer, type ServeOptions } from './server/page-server.ts'
import { readCommand, readJobsQuery } from './server/requests.ts'
import type { Handlers } from './server/server.ts'

export interface InspectorOptions extends ServeOptions {
  /** What the page is called. Default `'pool'`. */
  readonly title?: string
  /** Bytes of history that are kept; then it begins anew with what is alive. Default 256 MiB. */
  readonly historyBytesMax?: number
}

const HISTORY_BYTES_MAX = 256 * 1024 * 1024

/** The inspector of a pool: records what happens in it, and serves the page that shows it. */
export class Inspector extends PageServer {
  readonly #feed: Feed

  constructor(feed: Feed, pool: PoolCore, options: InspectorOptions) {
    super(feed, handlersFor(pool, feed), options)
    this.#feed = feed
  }

  /** What has been recorded until now, as bytes that `espalier inspect` and the page's report can read. */
  recording(): Promise<Uint8Array> {
    return this.#feed.recording()
  }

  /** Ends the page's connections and the recording; the pool goes on. */
  override async close(): Promise<void> {
    await super.close()
    await this.#feed.close()
  }
}

/**
 * Makes the inspector of a pool; it records from now on.
 *
 * Serve it with `listen()`, or mount it in a server of your own with `plugin` (Fastify), or `handle` and `handleUpgrade`
 * (Express, `node:http`).
 *
 * @throws {EspalierError} `ESP_INVALID_OPTION`.
 */
export function createInspector(pool: PoolCore, options: InspectorOptions = {}): Inspector {
  checkObject('options', options)
  if (!(pool instanceof PoolCore)) {
    throw new EspalierError('ESP_INVALID_OPTION', { option: 'pool', expected: 'a JobPool', got: pool })
  }
  const { title = 'pool', historyBytesMax = HISTORY_BYTES_MAX } = options
  checkPositive('historyBytesMax', historyBytesMax)
  checkName('title', title)
  const feed = new Feed(pool, { title, historyBytesMax, documents: chartDocuments() })
  try {
    return new Inspector(feed, pool, options)
  } catch (error) {
    void feed.close()
    throw error
  }
}

const idOf = (request: { readonly params: unknown }) => (request.params as { readonly id: string }).id
const isFull = (request: { readonly query: unknown }) =>
  (request.query as { readonly full?: string }).full === '1'

function describe(
  actor: unknown,
  id: string,
  accepts: readonly string[],
  request: FastifyRequest,
): ActorDetail {
  return actorDetail(actor as AnyActorRef, id, accepts, isFull(request))
}

function handlersFor(pool: PoolCore, feed: Feed): Omit<Handlers, 'healthz' | 'openSession'> {
  const { supervisor } = PoolCore.partsOf(pool)
  const commands = new Commands(pool, feed)
  const downloads = new Downloads()
  return {
    status: () => pool.getStatus(),
    metrics: () => pool.getMetrics(),
    health: () => pool.getHealth(),
    jobs: (request) => feed.ask({ type: 'jobs', ...readJobsQuery(request.query) }),
    job: (request) => jobDetail(supervisor, feed.header.startedAt, idOf(request), isFull(request)),
    runs: () => feed.ask({ type: 'runs' }),
    tree: async (request) => {
      const tree = await feed.ask({ type: 'tree', runId: idOf(request) })
      if (tree === undefined) throw new EspalierError('ESP_NOT_THERE', { what: `run "${idOf(request)}"` })
      return tree
    },
    actor: (request) => {
      const id = idOf(request)
      const job = supervisor.jobs.get(id)
      const run = feed.runActor(id)
      if (id === 'pool') return describe(supervisor.actor, id, eventsForPool(supervisor.actor), request)
      if (job !== undefined) {
        const { body } = job
        const own = describe(job, id, eventsForJob(job), request)
        return body === undefined ? own : { ...own, body: describe(body, 'body', [], request) }
      }
      if (run !== undefined) return describe(run, id, [], request)
      throw new EspalierError('ESP_NOT_THERE', { what: `actor "${id}"` })
    },
    bodyChart: (request) => feed.bodyCharts.chartOf(supervisor.jobs.get(idOf(request))?.body),
    ...chartHandlers,
    recording: async (_request, reply) => downloads.sendRecording(reply, await feed.recording()),
    exported: (request, reply) => downloads.sendExport(request, reply, () => feed.recording()),
    command: (request) => commands.carryOut(readCommand(request.body)),
  }
}
