import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { EspalierError } from '../../domain/errors.ts'
import type { Route } from '../../protocol/routes.ts'
import type { Access } from './access.ts'

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]']

/** Decides which requests may pass: every request goes through here first, whatever it asks for. */
export class Gate {
  readonly #access: Access
  readonly #allowedHosts: readonly string[]
  readonly #isReadOnly: boolean

  /** @param allowedHosts - Names by which the server may be called, besides those of this machine; with a port, or with any. */
  constructor(access: Access, allowedHosts: readonly string[], isReadOnly: boolean) {
    this.#access = access
    this.#allowedHosts = allowedHosts.map((host) => host.toLowerCase())
    this.#isReadOnly = isReadOnly
  }

  /** @throws {EspalierError} Telling why a request may not pass. */
  check(request: IncomingMessage, access: Route['access']): void {
    if (access === 'anyone') return
    const { headers } = request
    this.#checkHost(request)
    this.#checkOrigin(request)
    if (request.method === 'POST') checkJson(headers['content-type'])
    if (access === 'visitor') return
    const hasToken = this.#access.hasToken(headers.authorization)
    if (!hasToken && !this.#access.hasSession(headers.cookie))
      throw new EspalierError('ESP_TOKEN_REQUIRED', {})
    // A browser always tells where a socket is opened from: what does not is none, and has to show the token itself.
    if (!hasToken && headers.upgrade !== undefined && headers.origin === undefined) {
      throw new EspalierError('ESP_ORIGIN_REFUSED', { origin: undefined })
    }
    if (access === 'operator' && this.#isReadOnly) throw new EspalierError('ESP_READ_ONLY', {})
  }

  get canControl(): boolean {
    return !this.#isReadOnly
  }

  /** Against names that lead here by somebody else's name server. */
  #checkHost({ headers: { host }, socket }: IncomingMessage): void {
    const given = host?.toLowerCase()
    const own = LOOPBACK_NAMES.flatMap((name) => {
      const isDefaultPort = socket.localPort === ((socket as TLSSocket).encrypted ? 443 : 80)
      return isDefaultPort ? [name, `${name}:${socket.localPort}`] : [`${name}:${socket.localPort}`]
    })
    const isAllowed = (allowed: string) =>
      given === allowed || (!/:\d+$/.test(allowed) && given?.replace(/:\d{1,5}$/, '') === allowed)
    if (given !== undefined && (own.includes(given) || this.#allowedHosts.some(isAllowed))) return
    throw new EspalierError('ESP_HOST_REFUSED', { host })
  }

  /** Pages of other sites may not ask: an origin, if there is one, must be the server's own. */
  #checkOrigin({ headers }: IncomingMessage): void {
    const { origin, host } = headers
    const site = headers['sec-fetch-site']
    const isForeign = origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`
    const isFromElsewhere =
      site !== undefined &&
      site !== 'same-origin' &&
      site !== 'none' &&
      headers['sec-fetch-mode'] !== 'navigate'
    if (isForeign || isFromElsewhere) throw new EspalierError('ESP_ORIGIN_REFUSED', { origin })
  }
}

/** What a form of another site can send is not JSON. */
function checkJson(type: string | undefined): void {
  if (/^application\/json\s*(;|$)/i.test(type ?? '')) return
  throw new EspalierError('ESP_NOT_JSON', { got: type })
}
