import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import { checkInteger, checkName, checkObject } from '../../domain/check.ts'
import { EspalierError } from '../../domain/errors.ts'
import { ROUTES } from '../../protocol/routes.ts'
import { readStaticFiles } from '../files/static-files.ts'
import { Access, newToken } from './access.ts'
import { Gate } from './gate.ts'
import { readToken } from './requests.ts'
import { createServer, forward, forwardUpgrade, type Handler, type Handlers } from './server.ts'
import { type BlockSource, Viewer } from './viewer.ts'

/** How a page is served, whatever it shows. */
export interface ServeOptions {
  /** Opens everything: at least 32 characters. Default: a fresh one, which `token` tells. */
  readonly token?: string
  /** Refuses all commands. Default `false`. */
  readonly readOnly?: boolean
  /** Names, with or without a port, by which the server may be called besides `localhost`, `127.0.0.1` and `[::1]`. */
  readonly allowedHosts?: readonly string[]
  /** Where it is mounted, such as `/inspector`. Default `''`: at the root. */
  readonly basePath?: string
}

export interface ListenOptions {
  /** Default `'127.0.0.1'`. */
  readonly host?: string
  /** Default: any free one. */
  readonly port?: number
}

const VIEWERS_MAX = 32
/** How long a page may be away, in ms. */
const RELOAD_MS = 3_000
const LOOPBACK = ['127.0.0.1', '::1', 'localhost']
const TRY_AGAIN_LATER = 1013

/** Serves the page: in a server of its own, or mounted in another. */
export class PageServer implements AsyncDisposable {
  /** Opens everything; keep it as a password. */
  readonly token: string
  readonly #options: ServeOptions
  readonly #access: Access
  readonly #gate: Gate
  readonly #source: BlockSource
  readonly #handlers: Omit<Handlers, 'healthz' | 'openSession'>
  readonly #viewers = new Set<Viewer>()
  #server: Promise<FastifyInstance> | undefined
  #onUnwatched = () => {}

  /** @throws {EspalierError} `ESP_INVALID_OPTION`. */
  constructor(
    source: BlockSource,
    handlers: Omit<Handlers, 'healthz' | 'openSession'>,
    options: ServeOptions,
  ) {
    checkServeOptions(options)
    this.#source = source
    this.#handlers = handlers
    this.#options = options
    this.token = options.token ?? newToken()
    this.#access = new Access(this.token)
    this.#gate = new Gate(this.#access, options.allowedHosts ?? [], options.readOnly ?? false)
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
    return this.link(await server.listen({ host, port }))
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
      const answer: Handler = async (request, reply) => {
        reply.hijack()
        await this.handle(request.raw, reply.raw)
      }
      scope.all(`${this.#basePath}/*`, answer)
      if (this.#basePath !== '') scope.all(this.#basePath, answer)
    })
    app.server.on('upgrade', (request, socket, head) => void this.handleUpgrade(request, socket, head))
    app.addHook('preClose', () => this.close())
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

  /** Ends the page's connections. */
  async close(): Promise<void> {
    for (const viewer of this.#viewers) viewer.close()
    const server = await this.#server
    await server?.close()
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
      handlers: { ...this.#handlers, healthz: () => ({ status: 'ok' }), openSession: this.#openSession },
      onSocket: (socket) => {
        if (this.#viewers.size >= VIEWERS_MAX) {
          socket.close(TRY_AGAIN_LATER)
          return
        }
        const viewer = new Viewer(socket, this.#source, this.#gate.canControl)
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

  readonly #openSession: Handler = (request, reply) => {
    const isSecure = request.protocol === 'https'
    const cookie = this.#access.openSession(readToken(request.body), `${this.#basePath}/`, isSecure)
    if (cookie === undefined) throw new EspalierError('ESP_TOKEN_REQUIRED', {})
    return reply.header('set-cookie', cookie).status(204).send()
  }
}

function checkServeOptions(options: ServeOptions): void {
  checkObject('options', options)
  for (const host of options.allowedHosts ?? []) checkName('allowedHosts', host)
  const { basePath } = options
  if (basePath !== undefined && !/^(\/[\w.~-]+)*$/.test(basePath)) {
    throw new EspalierError('ESP_INVALID_OPTION', {
      option: 'basePath',
      expected: "'' or a path such as '/inspector', without a slash at its end",
      got: basePath,
    })
  }
}
