import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A Redis of our own that has each command on disk before it answers. */
export interface Redis {
  readonly port: number
  stop(): void
}

/**
 * Starts Redis with `appendfsync always`, as durable as our store; installs it from Debian when it is missing.
 *
 * @throws {Error} When there is no Redis, and none can be installed.
 */
export async function startRedis(): Promise<Redis> {
  install()
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'espalier-redis-'))
  const settings = {
    port: String(port),
    bind: '127.0.0.1',
    dir: folder,
    save: '',
    appendonly: 'yes',
    appendfsync: 'always',
    'maxmemory-policy': 'noeviction',
  }
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])
  const server = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  await ready(server)
  return {
    port,
    stop() {
      server.kill('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function install(): void {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' })
  } catch {
    console.error('… installing redis-server')
    const options = ['install', '-y', '--no-install-recommends', 'redis-server']
    execFileSync('apt-get', ['update'], { stdio: 'ignore' })
    execFileSync('apt-get', options, { stdio: 'ignore' })
  }
}

function ready(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    server.stdout?.on('data', (text) => {
      if (String(text).includes('Ready to accept connections')) resolve()
    })
    server.on('exit', (code) => reject(new Error(`Expected Redis to start, but it ended with ${code}.`)))
  })
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}
