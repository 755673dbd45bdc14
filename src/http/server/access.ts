import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { checkName } from '../../domain/check.ts'
import { EspalierError } from '../../domain/errors.ts'

const TOKEN_BYTES = 32
/** A browser drops a cookie after this long, in seconds: a working day. */
const SESSION_SECONDS = 12 * 3_600

/** A fresh token: 256 random bits. */
export function newToken(): string {
  return randomBytes(TOKEN_BYTES).toString('base64url')
}

/**
 * Who may use a server: whoever has its token, or a cookie that was given for it.
 *
 * The cookie is a digest of the token, so that it outlives a restart with the same token, and dies with another one.
 */
export class Access {
  readonly #token: string
  readonly #session: string
  readonly #codes = new Set<string>()
  /** Of its own for each token: cookies are shared by all servers of a host, whatever their ports. */
  readonly cookieName: string

  /** @throws {EspalierError} `ESP_INVALID_OPTION` for a token that could be guessed. */
  constructor(token: string) {
    checkName('token', token, 500)
    if (token.length < MIN_TOKEN_LENGTH || !/^[\w.~+/-]+=*$/.test(token)) {
      throw new EspalierError('ESP_INVALID_OPTION', {
        option: 'token',
        expected: `at least ${MIN_TOKEN_LENGTH} characters that a header can carry, such as 32 random bytes in base64url`,
        got: `${token.length} characters`,
      })
    }
    this.#token = token
    this.#session = createHmac('sha256', token).update('espalier session').digest('base64url')
    this.cookieName = `espalier_${createHash('sha256').update(token).digest('hex').slice(0, 12)}`
  }

  /** A code that opens one session, for a link. */
  newCode(): string {
    const code = newToken()
    this.#codes.add(code)
    return code
  }

  /**
   * @param given - The token, or a code, which is used up.
   * @returns The value of a `Set-Cookie` header; `undefined` when it is neither.
   */
  openSession(given: string, path: string, isSecure: boolean): string | undefined {
    const isCode = [...this.#codes].some((code) => isEqual(code, given) && this.#codes.delete(code))
    if (!isCode && !isEqual(this.#token, given)) return undefined
    const attributes = [`Path=${path}`, `Max-Age=${SESSION_SECONDS}`, 'HttpOnly', 'SameSite=Strict']
    if (isSecure) attributes.push('Secure')
    return [`${this.cookieName}=${this.#session}`, ...attributes].join('; ')
  }

  hasToken(authorization: string | undefined): boolean {
    const [, given] = /^Bearer ([\w.~+/-]+=*)$/.exec(authorization ?? '') ?? []
    return given !== undefined && isEqual(this.#token, given)
  }

  hasSession(cookies: string | undefined): boolean {
    for (const cookie of (cookies ?? '').split(';')) {
      const [name = '', value = ''] = cookie.trim().split('=', 2)
      if (name === this.cookieName && isEqual(this.#session, value)) return true
    }
    return false
  }
}

const MIN_TOKEN_LENGTH = 32

/** Compares in a time that tells nothing. */
function isEqual(secret: string, given: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(secret), digest(given))
}
