import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import websocket from '@fastify/websocket'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { type ErrorCode, EspalierError, isEspalierError } from '../../domain/errors.ts'
import type { ErrorBody } from '../../protocol/messages.ts'
import { PAGE_MESSAGE_BYTES_MAX } from '../../protocol/messages.ts'
import { ROUTES, type Route, type RouteName } from '../../protocol/routes.ts'
import type { StaticFile } from '../files/static-files.ts'
import type { Gate } from './gate.ts'
import { bodyOf } from './read-before.ts'
import type { ViewerSocket } from './viewer.ts'

const BODY_BYTES_MAX = 1024 * 1024
const HEADER_BYTES_MAX = 16 * 1024
const CONNECTIONS_MAX = 256
const HEADERS_WITHIN_MS = 10_000
const REQUEST_WITHIN_MS = 30_000

/** What every answer carries. */
const HEADERS = {
  'content-security-policy': [
    `default-src 'none'`,
    `script-src 'self'`,
    `style-src 'self'`,
    `img-src 'self' data:`,
    `connect-src 'self'`,
    `base-uri 'none'`,
    `form-action 'none'`,
    `frame-ancestors 'none'`,
    `require-trusted-types-for 'script'`,
    `trusted-types 'none'`,
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
} as const

/** Statuses of the errors that a request can meet; any other is the server's own fault. */
const STATUSES: Partial<Record<ErrorCode, number>> = {
  ESP_HOST_REFUSED: 403,
  ESP_ORIGIN_REFUSED: 403,
  ESP_TOKEN_REQUIRED: 401,
  ESP_READ_ONLY: 403,
  ESP_NOT_JSON: 415,
  ESP_BAD_REQUEST: 400,
  ESP_NOT_THERE: 404,
  ESP_UNKNOWN_JOB: 404,
  ESP_EVENT_REFUSED: 409,
  ESP_POOL_CLOSED: 409,
}

/** Answers a request; what it returns is sent as JSON. */
export type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown
export type Handlers = Readonly<Record<Exclude<RouteName, 'feed'>, Handler>>

export interface ServerParts {
  readonly gate: Gate
  readonly handlers: Handlers
  readonly onSocket: (socket: ViewerSocket) => void
  readonly files: ReadonlyMap<string, StaticFile>
  /** Where it is mounted: `''` or a path such as `/inspector`. */
  readonly basePath: string
}

/** Makes the server of the inspector; nothing listens yet. */
export async function createServer({
  gate,
  handlers,
  onSocket,
  files,
  basePath,
}: ServerParts): Promise<FastifyInstance> {
  const app = fastify({
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_WITHIN_MS,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    // An id has up to 200 characters, each of which may take several in an address.
    routerOptions: { maxParamLength: HEADER_BYTES_MAX },
    http: { headersTimeout: HEADERS_WITHIN_MS, maxHeaderSize: HEADER_BYTES_MAX },
  })
  app.server.maxConnections = CONNECTIONS_MAX
  // First of all, so that whatever comes, known or not, passes the gate.
  app.addHook('onRequest', (request, reply, done) => {
    void reply.headers(HEADERS)
    const { access = 'visitor' } = request.routeOptions.config as { readonly access?: Route['access'] }
    try {
      gate.check(request.raw, access)
      done()
    } catch (error) {
      done(error as Error)
    }
  })
  app.addHook('preParsing', async (request, _reply, payload) =>
    request.method === 'POST' ? bodyOf(request.raw) : payload,
  )
  app.setErrorHandler(sendError)
  app.setNotFoundHandler((request, reply) =>
    sendError(
      new EspalierError('ESP_NOT_THERE', { what: `${request.method} ${pathOf(request)}` }),
      request,
      reply,
    ),
  )
  app.removeContentTypeParser('text/plain')
  await app.register(websocket, { options: { maxPayload: PAGE_MESSAGE_BYTES_MAX, perMessageDeflate: false } })
  for (const [name, route] of Object.entries(ROUTES) as [RouteName, Route][]) {
    const options = { config: { access: route.access } }
    if (name === 'feed') app.get(basePath + route.path, { ...options, websocket: true }, onSocket)
    else app.route({ ...options, method: route.method, url: basePath + route.path, handler: handlers[name] })
  }
  for (const [path, file] of files) addFile(app, basePath, path, file)
  const page = files.get('/')
  // Opened by another site's window, whose messages it shows: it keeps its opener, and is given nothing of this server.
  if (page !== undefined)
    addFile(app, basePath, '/stately', page, { 'cross-origin-opener-policy': 'unsafe-none' })
  await app.ready()
  return app
}

/** Takes requests that another server has received. */
export function forward(app: FastifyInstance, request: IncomingMessage, response: ServerResponse): void {
  app.routing(request, response)
}

export function forwardUpgrade(app: FastifyInstance, ...args: Parameters<UpgradeListener>): void {
  ;(app.server as Server).emit('upgrade', ...args)
}

type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

function addFile(
  app: FastifyInstance,
  basePath: string,
  path: string,
  { type, bytes }: StaticFile,
  headers: Readonly<Record<string, string>> = {},
): void {
  const send: Handler = (_request, reply) => reply.headers(headers).type(type).send(bytes)
  const options = { config: { access: 'visitor' } }
  app.get(basePath + path, options, send)
  // Relative links of the page need the slash.
  if (path === '/' && basePath !== '')
    app.get(basePath, options, (_request, reply) => reply.redirect(`${basePath}/`))
}

function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, body } = explain(error)
  if (status === 500) request.server.log.error(error)
  // Node has let go of a socket that wants to be upgraded: nobody else would ever end it.
  if (request.raw.headers.upgrade !== undefined) {
    reply.raw.once('finish', () => request.raw.socket.destroySoon())
  }
  return reply.status(status).send(body)
}

function explain(error: unknown): { status: number; body: ErrorBody } {
  if (isEspalierError(error)) {
    const { code, message } = error
    return { status: STATUSES[code] ?? (code === 'ESP_INVALID_OPTION' ? 400 : 500), body: { code, message } }
  }
  const { statusCode = 500, message = '' } = error as {
    readonly statusCode?: number
    readonly message?: string
  }
  // Fastify's own refusals, such as a body that is too large or no JSON, may be told; anything else may hold secrets.
  if (statusCode < 500) return { status: statusCode, body: { code: 'ESP_BAD_REQUEST', message } }
  const { code, message: text } = new EspalierError('ESP_INTERNAL', {})
  return { status: 500, body: { code, message: text } }
}

const pathOf = ({ url }: FastifyRequest): string => url.split('?', 1)[0] as string
