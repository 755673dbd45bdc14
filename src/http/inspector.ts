import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import type { AnyActorRef } from 'xstate'
import { checkInteger, checkName, checkObject, checkPositive } from '../domain/check.ts'
import { EspalierError } from '../domain/errors.ts'
import { ROUTES } from '../protocol/routes.ts'
import { PoolCore } from '../runtime/job-pool.ts'
import { Access, newToken } from './access.ts'
import { Commands } from './commands.ts'
import { actorDetail, jobDetail } from './details.ts'
import { Feed } from './feed.ts'
import { Gate } from './gate.ts'
import { readCommand, readJobsQuery, readToken } from './requests.ts'
import { createServer, forward, forwardUpgrade, type Handlers } from './server.ts'
import { readStaticFiles } from './static-files.ts'
import { Viewer } from './viewer.ts'

export interface InspectorOptions {
  /** Opens everything: at least 32 characters. Default: a fresh one, which `token` tells. */
  readonly token?: string
  /** Refuses all commands. Default `false`. */
  readonly readOnly?: boolean
  /** Names, with or without a port, by which the server may be called besides `localhost`, `127.0.0.1` and `[::1]`. */
  readonly allowedHosts?: readonly string[]
  /** Where it is mounted, such as `/inspector`. Default: at the root. */
  readonly basePath?: string
  /** What the page is called. Default `'pool'`. */
  readonly title?: string
  /** Bytes of history that are kept; then it begins anew with what is alive. Default 256 MiB. */
  readonly historyBytesMax?: number
}

export interface ListenOptions {
  /** Default `'127.0.0.1'`. */
  readonly host?: string
  /** Default: any free one. */
  readonly port?: number
}

const HISTORY_BYTES_MAX = 256 * 1024 * 1024
const VIEWERS_MAX = 32
/** How long a page may be away, in ms. */
const RELOAD_MS = 3_000
const LOOPBACK = ['127.0.0.1', '::1', 'localhost']

/** The inspector of a pool: records what happens in it, and serves the page that shows it. */
export class Inspector implements AsyncDisposable {
  /** Opens everything; keep it as a password. */
  readonly token: string
  readonly #pool: PoolCore
  readonly #options: InspectorOptions
  readonly #access: Access
  readonly #gate: Gate
  readonly #feed: Feed
  readonly #commands: Commands
  readonly #viewers = new Set<Viewer>()
  #server: Promise<FastifyInstance> | undefined
  #onUnwatched = () => {}

  constructor(pool: PoolCore, options: InspectorOptions) {
    this.#pool = pool
    this.#options = options
    this.token = options.token ?? newToken()
    this.#access = new Access(this.token)
    this.#gate = new Gate(this.#access, options.allowedHosts ?? [], options.readOnly ?? false)
    const { title = 'pool', historyBytesMax = HISTORY_BYTES_MAX } = options
    this.#feed = new Feed(pool, { title, historyBytesMax })
    this.#commands = new Commands(pool, this.#feed)
  }

  /**
   * Serves the page.
   *
   * @returns Its address, with a code that opens one session.
   * @throws {EspalierError} `ESP_UNSAFE_ADDRESS` for an address that others can reach, unless `token` was given.
   */
  async listen({ host = '127.0.0.1', port = 0 }: ListenOptions = {}): Promise<string> {
    checkInteger('port', port)
    if (!LOOPBACK.includes(host) && this.#options.token === undefined) {
      throw new EspalierError('ESP_UNSAFE_ADDRESS', { host })
    }
    const server = await this.#start()
    const address = await server.listen({ host, port })
    return this.link(address)
  }

  /**
   * The address of the page under an origin, with a code that opens one session. The code is behind the `#`, which a
   * browser sends to nobody.
   */
  link(origin: string): string {
    return `${origin}${this.#basePath}/#code=${this.#access.newCode()}`
  }

  /** Answers a request that another server has received: for Express, or plain `node:http`. */
  readonly handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    forward(await this.#start(), request, response)
  }

  /** Answers the `upgrade` event of another server; for paths that are not the inspector's, nothing happens. */
  readonly handleUpgrade = async (request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    if (request.url?.split('?', 1)[0] !== this.#basePath + ROUTES.feed.path) return
    forwardUpgrade(await this.#start(), request, socket, head)
  }

  /** Mounts it in a Fastify server, at `basePath`. */
  readonly plugin: FastifyPluginAsync = async (app) => {
    await app.register(async (scope) => {
      // The body is read here, not there.
      scope.removeAllContentTypeParsers()
      scope.addContentTypeParser('*', (_request, _payload, done) => done(null))
      const answer = {
        handler: async (
          request: { raw: IncomingMessage },
          reply: { hijack(): void; raw: ServerResponse },
        ) => {
          reply.hijack()
          await this.handle(request.raw, reply.raw)
        },
      }
      scope.all(`${this.#basePath}/*`, answer.handler)
      if (this.#basePath !== '') scope.all(this.#basePath, answer.handler)
    })
    app.server.on('upgrade', (request, socket, head) => void this.handleUpgrade(request, socket, head))
    app.addHook('onClose', () => this.close())
  }

  /** Whether anybody has the page open. */
  get isWatched(): boolean {
    return this.#viewers.size > 0
  }

  /** Resolves when nobody has the page open; a page that is reloaded counts as open. */
  async unwatched(): Promise<void> {
    while (this.isWatched) {
      await new Promise<void>((resolve) => {
        this.#onUnwatched = resolve
      })
      await new Promise((resolve) => setTimeout(resolve, RELOAD_MS))
    }
  }

  /** What has been recorded until now, as bytes that `espalier inspect` and the page's report can read. */
  recording(): Promise<Uint8Array> {
    return this.#feed.recording()
  }

  /** Ends the page's connections and the recording; the pool goes on. */
  async close(): Promise<void> {
    for (const viewer of this.#viewers) viewer.close()
    const server = await this.#server
    await server?.close()
    await this.#feed.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  get #basePath(): string {
    return this.#options.basePath ?? ''
  }

  #start(): Promise<FastifyInstance> {
    this.#server ??= createServer({
      gate: this.#gate,
      handlers: this.#handlers(),
      onSocket: (socket) => {
        if (this.#viewers.size >= VIEWERS_MAX) {
          socket.close(TRY_AGAIN_LATER)
          return
        }
        const viewer = new Viewer(socket, this.#feed, this.#gate.canControl)
        this.#viewers.add(viewer)
        socket.on('close', () => {
          this.#viewers.delete(viewer)
          if (!this.isWatched) this.#onUnwatched()
        })
      },
      files: readStaticFiles(),
      basePath: this.#basePath,
    })
    return this.#server
  }

  #handlers(): Handlers {
    const pool = this.#pool as PoolCore
    const feed = this.#feed
    const { supervisor } = PoolCore.partsOf(pool)
    const idOf = (request: { readonly params: unknown }) => (request.params as { readonly id: string }).id
    const isFull = (request: { readonly query: unknown }) =>
      (request.query as { readonly full?: string }).full === '1'
    return {
      healthz: () => ({ status: 'ok' }),
      openSession: (request, reply) => {
        const isSecure = request.protocol === 'https'
        const cookie = this.#access.openSession(readToken(request.body), `${this.#basePath}/`, isSecure)
        if (cookie === undefined) throw new EspalierError('ESP_TOKEN_REQUIRED', {})
        return reply.header('set-cookie', cookie).status(204).send()
      },
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
        const actor = id === 'pool' ? supervisor.actor : (supervisor.jobs.get(id) ?? feed.runActor(id))
        if (actor === undefined) throw new EspalierError('ESP_NOT_THERE', { what: `actor "${id}"` })
        return actorDetail(actor as unknown as AnyActorRef, id, isFull(request))
      },
      charts: () => [],
      chart: () => {
        throw new EspalierError('ESP_NOT_THERE', { what: 'chart' })
      },
      chartSvg: () => {
        throw new EspalierError('ESP_NOT_THERE', { what: 'chart' })
      },
      recording: async (_request, reply) =>
        reply
          .type('application/octet-stream')
          .header('content-disposition', 'attachment; filename="recording.espalier"')
          .send(Buffer.from(await feed.recording())),
      exported: () => {
        throw new EspalierError('ESP_NOT_THERE', { what: 'export' })
      },
      command: (request) => this.#commands.carryOut(readCommand(request.body)),
    }
  }
}

const TRY_AGAIN_LATER = 1013

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
  if (options.historyBytesMax !== undefined) checkPositive('historyBytesMax', options.historyBytesMax)
  if (options.title !== undefined) checkName('title', options.title)
  const { basePath } = options
  if (basePath !== undefined && !/^(\/[\w.~-]+)+$/.test(basePath)) {
    throw new EspalierError('ESP_INVALID_OPTION', {
      option: 'basePath',
      expected: "a path such as '/inspector', without a slash at its end",
      got: basePath,
    })
  }
  return new Inspector(pool, options)
}
