import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import WebSocket from 'ws'
import { createInspector } from '../../../src/http/index.ts'
import { JobPool } from '../../../src/index.ts'
import { PAGE_MESSAGE_BYTES_MAX, ROUTES, type Route } from '../../../src/protocol/index.ts'
import { Page, type Served, serve } from '../client.ts'

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

/** A request as a hostile client makes it: any header, the `Host` too, which `fetch` does not allow. */
function ask(
  served: Served,
  method: string,
  path: string,
  headers: object = {},
  body?: string,
): Promise<Answer> {
  const { hostname, port } = new URL(served.origin)
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        hostname,
        port,
        method,
        path,
        headers: { ...headers, ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }) },
      },
      (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (part: string) => {
          text += part
        })
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
        )
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
const routes: readonly (readonly [string, Route])[] = Object.entries(ROUTES)
const paths = [
  ...new Set(routes.map(([, { path }]) => path.replace(/:\w+/, 'x'))),
  '/',
  '/no/such/path',
  '/../package.json',
]

let served: Served

beforeAll(async () => {
  served = await serve()
})
afterAll(() => served[Symbol.asyncDispose]())

describe.each(paths)('%s', (path) => {
  const route = routes.find(([, { path: known }]) => known.replace(/:\w+/, 'x') === path)?.[1]
  const isOpen = route?.access === 'anyone'
  const needsToken = route?.access === 'viewer' || route?.access === 'operator'
  const json = { 'content-type': 'application/json' }

  test.each(METHODS)('%s is refused by a wrong Host, whatever else it shows', async (method) => {
    for (const host of [
      'evil.example',
      'evil.example:80',
      'localhost',
      `127.0.0.1.evil.example:${new URL(served.origin).port}`,
    ]) {
      const { status } = await ask(served, method, path, { ...served.bearer, ...json, host })
      expect(status).toBe(isOpen && method === 'GET' ? 200 : 403)
    }
  })

  test.each(METHODS)('%s is refused to pages of other origins, and to null', async (method) => {
    const port = new URL(served.origin).port
    for (const origin of [
      'https://evil.example',
      'null',
      `http://127.0.0.1:${Number(port) + 1}`,
      `http://127.0.0.1:${port}.evil.example`,
      'not an origin',
    ]) {
      const { status } = await ask(served, method, path, { ...served.bearer, ...json, origin })
      expect(status).toBe(isOpen && method === 'GET' ? 200 : 403)
    }
    const { status } = await ask(served, method, path, {
      ...served.bearer,
      ...json,
      'sec-fetch-site': 'cross-site',
      'sec-fetch-mode': 'cors',
    })
    expect(status).toBe(isOpen && method === 'GET' ? 200 : 403)
  })

  test.each(METHODS)('%s without a token tells and does nothing', async (method) => {
    for (const headers of [
      {},
      { authorization: 'Bearer wrong' },
      { authorization: 'Basic eDp5' },
      { cookie: 'espalier=1; espalier_x=2' },
    ]) {
      const { status, body } = await ask(
        served,
        method,
        path,
        { ...headers, ...json },
        method === 'POST' ? '{}' : undefined,
      )
      if (needsToken && method === route?.method) {
        expect(status).toBe(401)
        expect(body).toContain('ESP_TOKEN_REQUIRED')
      } else if (method !== route?.method && method !== 'GET') expect(status).toBeGreaterThanOrEqual(400)
    }
  })

  test.each(METHODS)('%s answers with every protecting header, and none that shares', async (method) => {
    const { headers } = await ask(
      served,
      method,
      path,
      { ...served.bearer, ...json },
      method === 'POST' ? '{}' : undefined,
    )
    if (headers.upgrade !== undefined) return
    expect(headers['content-security-policy']).toContain(`default-src 'none'`)
    expect(headers['content-security-policy']).toContain(`require-trusted-types-for 'script'`)
    expect(headers['content-security-policy']).toContain(`frame-ancestors 'none'`)
    expect(headers['content-security-policy']).not.toContain('unsafe')
    expect(headers['x-content-type-options']).toBe('nosniff')
    expect(headers['referrer-policy']).toBe('no-referrer')
    expect(headers['cache-control']).toBe('no-store')
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([])
  })

  test('POST is refused unless it says that it is JSON, and is', async () => {
    for (const type of [
      undefined,
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data',
      'application/jsonp',
    ]) {
      const { status } = await ask(
        served,
        'POST',
        path,
        { ...served.bearer, ...(type && { 'content-type': type }) },
        '{}',
      )
      expect(status).toBe(415)
    }
    if (route?.method !== 'POST') return
    expect((await ask(served, 'POST', path, { ...served.bearer, ...json }, '{')).status).toBe(400)
    expect((await ask(served, 'POST', path, { ...served.bearer, ...json }, '[]')).status).toBe(400)
    expect(
      (await ask(served, 'POST', path, { ...served.bearer, ...json }, '{"__proto__":{"type":"pool.pause"}}'))
        .status,
    ).toBe(400)
  })

  test('a body that is too large is refused', async () => {
    const answer = await ask(served, 'POST', path, { ...served.bearer, ...json }, `"${'x'.repeat(2 ** 20)}"`)
    expect(answer.status).toBe(413)
  })
})

test('every route has said who may call it, and what changes things may only an operator', () => {
  for (const [name, { method, access }] of routes) {
    if (method === 'GET') expect([name, access]).toEqual([name, expect.toBeOneOf(['anyone', 'viewer'])])
    else expect([name, access]).toEqual([name, name === 'openSession' ? 'visitor' : 'operator'])
  }
})

test('the health check tells nothing but that it answers', async () => {
  expect((await ask(served, 'GET', '/healthz', { host: 'load-balancer' })).body).toBe('{"status":"ok"}')
})

test.each(['x'.repeat(200), '/'.repeat(200), 'ü€'.repeat(100)])(
  'a job is found by an id as long as ids may be: %s',
  async (id) => {
    served.pool.submitJob({ id, execute: () => {} })
    const { status, body } = await ask(served, 'GET', `/api/jobs/${encodeURIComponent(id)}`, served.bearer)
    expect([status, JSON.parse(body)]).toEqual([200, expect.objectContaining({ id })])
  },
)

describe('a session', () => {
  const post = (token: string, to = served) =>
    ask(to, 'POST', '/api/session', { 'content-type': 'application/json' }, JSON.stringify({ token }))

  test('is opened by the code of the address, once, with a cookie that no script and no other site can use', async () => {
    await using other = await serve()
    const opened = await post(other.code, other)
    expect(opened.status).toBe(204)
    const [cookie = ''] = opened.headers['set-cookie'] ?? []
    expect(cookie).toMatch(
      /^espalier_[0-9a-f]{12}=[\w-]{43}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/,
    )
    expect(cookie).not.toContain(other.code)
    expect(cookie).not.toContain(other.inspector.token)
    expect((await post(other.code, other)).status).toBe(401)

    const headers = { cookie: `a=b; ${cookie.split(';')[0]}` }
    expect((await ask(other, 'GET', '/api/status', headers)).status).toBe(200)
    expect((await ask(served, 'GET', '/api/status', headers)).status).toBe(401)
  })

  test('is opened by the token, any number of times', async () => {
    expect((await post(served.inspector.token)).status).toBe(204)
    expect((await post(served.inspector.token)).status).toBe(204)
  })

  test('is not opened by anything else', async () => {
    for (const token of ['', 'x', served.inspector.token.slice(0, -1), `${served.inspector.token}x`]) {
      expect((await post(token)).status).toBe(401)
    }
  })
})

describe('the WebSocket', () => {
  const connect = (headers: Record<string, string>): Promise<number> => {
    const socket = new WebSocket(`${served.origin.replace('http', 'ws')}/api/feed`, { headers })
    return new Promise((resolve) => {
      socket.on('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0))
      socket.on('open', () => {
        socket.terminate()
        resolve(101)
      })
      socket.on('error', () => {})
    })
  }

  const cookie = async () => {
    const { headers } = await ask(
      served,
      'POST',
      '/api/session',
      { 'content-type': 'application/json' },
      JSON.stringify({ token: served.inspector.token }),
    )
    return (headers['set-cookie']?.[0] ?? '').split(';')[0] as string
  }

  test('opens for the own page, and for a program that shows the token', async () => {
    expect(await connect({ cookie: await cookie(), origin: served.origin })).toBe(101)
    expect(await connect(served.bearer)).toBe(101)
  })

  test('is refused without a token, to other origins, to null, by other hosts, and with a cookie but no origin', async () => {
    expect(await connect({})).toBe(401)
    expect(await connect({ origin: served.origin })).toBe(401)
    expect(await connect({ cookie: await cookie(), origin: 'https://evil.example' })).toBe(403)
    expect(await connect({ cookie: await cookie(), origin: 'null' })).toBe(403)
    expect(
      await connect({ cookie: await cookie(), origin: 'http://evil.example', host: 'evil.example' }),
    ).toBe(403)
    expect(await connect({ cookie: await cookie() })).toBe(403)
  })

  test('is closed when it says anything before hello, and is sent nothing of the recording', async () => {
    for (const message of [
      { type: 'visible', isVisible: true },
      { type: 'ack', block: 0 },
    ]) {
      const socket = new WebSocket(`${served.origin.replace('http', 'ws')}/api/feed`, {
        headers: served.bearer,
      })
      const got: unknown[] = []
      socket.on('message', (data: Buffer, isBinary) => got.push(isBinary || JSON.parse(String(data))))
      await once(socket, 'open')
      socket.send(JSON.stringify(message))
      const [code] = (await once(socket, 'close')) as [number]
      expect(code).toBe(1008)
      expect(got).toEqual([expect.objectContaining({ type: 'refused' })])
    }
  })

  test.each([
    ['no JSON', '{'],
    ['no known message', '{"type":"steal"}'],
    ['a field that is unknown', '{"type":"ack","block":1,"more":1}'],
    ['another protocol', '{"type":"hello","protocol":999}'],
    ['a negative block', '{"type":"ack","block":-1}'],
    ['too long a message', JSON.stringify({ type: 'ack', block: 1, more: 'x'.repeat(5_000) })],
  ])('is closed by %s, and the others go on', async (_, text) => {
    using bad = new Page(served)
    using good = new Page(served)
    await bad.until(() => bad.find('welcome') !== undefined)
    bad.sendText(text)
    expect(await bad.closed()).toBeOneOf([1008, 1009])
    await good.until(() => good.find('welcome') !== undefined)
  })
})

describe('a read-only inspector', () => {
  test('shows everything, and refuses commands', async () => {
    await using shown = await serve({}, { readOnly: true })
    expect((await ask(shown, 'GET', '/api/status', shown.bearer)).status).toBe(200)
    const headers = { ...shown.bearer, 'content-type': 'application/json' }
    const { status, body } = await ask(shown, 'POST', '/api/commands', headers, '{"type":"pool.pause"}')
    expect([status, body]).toEqual([403, expect.stringContaining('ESP_READ_ONLY')])
    expect(shown.pool.getHealth().isDispatching).toBe(true)
  })
})

describe('an address that others can reach', () => {
  test('is refused unless a token was chosen, and then still wants the right Host', async () => {
    await using pool = new JobPool()
    await using inspector = createInspector(pool)
    await expect(inspector.listen({ host: '0.0.0.0' })).rejects.toThrow(/ESP_UNSAFE_ADDRESS/)
  })

  test('listens on the loopback only by default', async () => {
    expect(new URL(served.origin).hostname).toBe('127.0.0.1')
  })
})

test.each([
  ['short'],
  ['x'.repeat(31)],
  [`${'x'.repeat(40)}\n`],
  ['has spaces in it, which no header value should have'],
])('the token %j is refused: it could be guessed or not be sent', async (token) => {
  await using pool = new JobPool()
  expect(() => createInspector(pool, { token })).toThrow(/ESP_INVALID_OPTION/)
})

describe('what one client can take up is limited', () => {
  const headers = () => served.bearer
  const feed = () => new WebSocket(`${served.origin.replace('http', 'ws')}/api/feed`, { headers: headers() })

  test('a frame that is longer than any message ends the connection', async () => {
    const socket = feed()
    await once(socket, 'open')
    socket.send('x'.repeat(PAGE_MESSAGE_BYTES_MAX + 1))
    expect((await once(socket, 'close'))[0]).toBe(1009)
  })

  test('no more than 32 pages are served at a time; the next is told to try again later', async () => {
    const sockets = Array.from({ length: 32 }, feed)
    await Promise.all(sockets.map((socket) => once(socket, 'open')))
    const next = feed()
    expect((await once(next, 'close'))[0]).toBe(1013)
    for (const socket of sockets) socket.terminate()
  })

  test('no more than 256 connections are open at a time', async () => {
    await using crowded = await serve()
    const { hostname, port } = new URL(crowded.origin)
    const open = await Promise.all(
      Array.from({ length: 256 }, async () => {
        const socket = connect(Number(port), hostname)
        await once(socket, 'connect')
        return socket
      }),
    )
    const next = connect(Number(port), hostname)
    next.on('error', () => {})
    await once(next, 'close')
    for (const socket of open) socket.destroy()
  })
})
