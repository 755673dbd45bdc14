import { spawn } from 'node:child_process'
import type { Inspector, PageServer } from '../http/index.ts'
import type { JobPool } from '../index.ts'
import { inspectorToken } from './token-file.ts'
import { UsageError } from './usage-error.ts'

export interface InspectOptions {
  readonly inspect?: boolean
  readonly inspectPort?: number
  readonly open?: boolean
  /** A file to write the recording to, in the format that its name asks for. */
  readonly report?: string
}

/** Records a run if anybody wants to see it, and serves its page if that is wanted; tells the address. */
export async function inspectRun(
  pool: JobPool,
  title: string,
  options: InspectOptions,
  tell: (text: string) => void,
): Promise<Inspector | undefined> {
  const isServed = options.inspect === true || options.open === true || options.inspectPort !== undefined
  if (!isServed && options.report === undefined) return undefined
  // Its server takes a while to load, which only those who want it should wait for.
  const { createInspector } = await import('../http/index.ts')
  const inspector = createInspector(pool, { title, ...(isServed ? { token: await inspectorToken() } : {}) })
  if (isServed) await announceAddress(inspector, options, tell)
  return inspector
}

/** Serves a page, tells its address, and opens it if that is wanted. @throws {UsageError} When the port is taken. */
export async function announceAddress(
  server: PageServer,
  { inspectPort, open }: InspectOptions,
  tell: (text: string) => void,
): Promise<void> {
  const address = await server
    .listen(inspectPort === undefined ? {} : { port: inspectPort })
    .catch((error) => {
      throw new UsageError(
        `The page cannot be served: ${listenFault(error, inspectPort)}. Name another with --inspect-port, or leave it out for ` +
          'any free one.',
      )
    })
  tell(`inspector: ${address}`)
  if (open) openInBrowser(address, tell)
}

function listenFault({ code, message }: NodeJS.ErrnoException, port: number | undefined): string {
  if (code === 'EADDRINUSE') return `port ${port} is taken`
  return code === 'EACCES' ? `port ${port} is not for this user` : message
}

/** The address goes to the opener as one argument; no shell sees it. */
function openInBrowser(address: string, tell: (text: string) => void): void {
  const [command, ...args] = OPENERS[process.platform] ?? ['xdg-open']
  const opener = spawn(command as string, [...args, address], { stdio: 'ignore', detached: true })
  opener.on('error', () => tell('The browser could not be opened: open the address above yourself.'))
  opener.unref()
}

const OPENERS: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
}
