import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type RequestHandler } from 'express'
import fastify from 'fastify'
import { expect, test } from 'vitest'
import { createInspector } from '../../../src/http/index.ts'
import { JobPool } from '../../../src/index.ts'
import { Page } from '../client.ts'

test('is mounted in a server of node:http, below a path, beside what else that serves', async () => {
  await using pool = new JobPool()
  await using inspector = createInspector(pool, { basePath: '/inspector' })
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/inspector')) void inspector.handle(request, response)
    else response.end('mine')
  })
  server.on('upgrade', inspector.handleUpgrade)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const bearer = { authorization: `Bearer ${inspector.token}` }
  try {
    expect(await (await fetch(`${origin}/`)).text()).toBe('mine')
    expect((await fetch(`${origin}/inspector/api/status`)).status).toBe(401)
    expect(await (await fetch(`${origin}/inspector/api/status`, { headers: bearer })).json()).toMatchObject({
      total: 0,
    })
    const page = await fetch(`${origin}/inspector`)
    expect([page.url, page.status]).toEqual([`${origin}/inspector/`, 200])
    const { pathname, hash } = new URL(inspector.link(origin))
    expect(pathname).toBe('/inspector/')
    const opened = await fetch(`${origin}/inspector/api/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token: hash.slice('#code='.length) }),
    })
    expect(opened.headers.get('set-cookie')).toContain('Path=/inspector/;')
    using looking = new Page({ origin: `${origin}/inspector`, bearer })
    await looking.until(() => looking.find('welcome') !== undefined)
  } finally {
    server.close()
    server.closeAllConnections()
  }
})

test('is mounted in an Express app, before its routes', async () => {
  await using pool = new JobPool()
  await using inspector = createInspector(pool, { basePath: '/inspector' })
  const app = express()
  app.use((request, response, next) => {
    if (request.url.startsWith('/inspector')) void inspector.handle(request, response)
    else next()
  })
  app.use(express.json())
  app.get('/', (_request, response) => void response.send('mine'))
  const server = app.listen(0, '127.0.0.1')
  server.on('upgrade', inspector.handleUpgrade)
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const bearer = { authorization: `Bearer ${inspector.token}` }
  try {
    expect(await (await fetch(origin)).text()).toBe('mine')
    const page = await fetch(`${origin}/inspector`)
    expect([page.url, page.status]).toEqual([`${origin}/inspector/`, 200])
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect((await fetch(`${origin}/inspector/api/status`)).status).toBe(401)
    const limited = await fetch(`${origin}/inspector/api/commands`, {
      method: 'POST',
      headers: { ...bearer, 'content-type': 'application/json' },
      body: '{"type":"pool.limit","maxParallelJobs":3}',
    })
    expect(limited.status).toBe(200)
    expect(pool.getStatus().maxParallelJobs).toBe(3)
    using looking = new Page({ origin: `${origin}/inspector`, bearer })
    await looking.until(() => looking.find('welcome') !== undefined)
  } finally {
    server.close()
    server.closeAllConnections()
  }
})

test.each([
  { parser: 'express.json()', parse: express.json() },
  { parser: 'express.text()', parse: express.text({ type: '*/*' }) },
  { parser: 'express.raw()', parse: express.raw({ type: '*/*', inflate: true }) },
])('takes a body that $parser has read before', async ({ parse }) => {
  await using pool = new JobPool()
  await using mounted = await mountAfter(parse, pool)
  const { status } = await mounted.post('/api/session', { token: mounted.token })
  expect(status).toBe(204)
  expect((await mounted.post('/api/commands', { type: 'pool.limit', maxParallelJobs: 3 })).status).toBe(200)
  expect(pool.getStatus().maxParallelJobs).toBe(3)
})

test('refuses a body that was read before and not kept, and says where to mount it', async () => {
  await using pool = new JobPool()
  await using mounted = await mountAfter((request, _response, next) => {
    request.on('end', next).resume()
  }, pool)
  const refused = await mounted.post('/api/commands', { type: 'pool.pause' })
  expect([refused.status, await refused.json()]).toEqual([
    400,
    { code: 'ESP_BAD_REQUEST', message: expect.stringContaining('mounted before') },
  ])
})

/** An Express app that reads bodies before it asks the inspector. */
async function mountAfter(parse: RequestHandler, pool: JobPool) {
  const inspector = createInspector(pool, { basePath: '/inspector' })
  const server = express()
    .use(parse)
    .use((request, response) => void inspector.handle(request, response))
    .listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { token } = inspector
  return {
    token,
    post: (path: string, body: unknown) =>
      fetch(`${origin}/inspector${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(5_000),
      }),
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await inspector.close()
    },
  }
}

test('is mounted in a Fastify server, and ends with it', async () => {
  await using pool = new JobPool()
  const inspector = createInspector(pool, { basePath: '/tools/inspector' })
  const app = fastify()
  app.get('/', () => 'mine')
  await app.register(inspector.plugin)
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  const bearer = { authorization: `Bearer ${inspector.token}` }
  const headers = { ...bearer, 'content-type': 'application/json' }
  const paused = await fetch(`${origin}/tools/inspector/api/commands`, {
    method: 'POST',
    headers,
    body: '{"type":"pool.pause"}',
  })
  expect(paused.status).toBe(200)
  expect(pool.getHealth().isDispatching).toBe(false)
  expect(await (await fetch(origin)).text()).toBe('mine')
  const looking = new Page({ origin: `${origin}/tools/inspector`, bearer })
  await looking.until(() => looking.find('welcome') !== undefined)
  const closed = looking.closed()
  await app.close()
  await closed
})

test('is at the root where it is said to be mounted nowhere', async () => {
  await using pool = new JobPool()
  await using inspector = createInspector(pool, { basePath: '' })
  expect(new URL(await inspector.listen()).pathname).toBe('/')
})

test.each(['inspector', '/', '/inspector/', '/a//b', '/a?b'])('cannot be mounted at %j', async (basePath) => {
  await using pool = new JobPool()
  expect(() => createInspector(pool, { basePath })).toThrow(/ESP_INVALID_OPTION/)
})
