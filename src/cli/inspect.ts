import { spawn } from 'node:child_process'
import type { Inspector } from '../http/index.ts'
import type { JobPool } from '../index.ts'
import { inspectorToken } from './token-file.ts'

export interface InspectOptions {
  readonly inspect?: boolean
  readonly inspectPort?: number
  readonly open?: boolean
}

/** Serves the inspector of a pool, and tells its address. */
export async function serveInspector(
  pool: JobPool,
  title: string,
  { inspectPort, open }: InspectOptions,
  tell: (text: string) => void,
): Promise<Inspector> {
  // Its server takes a while to load, which only those who want it should wait for.
  const { createInspector } = await import('../http/index.ts')
  const inspector = createInspector(pool, { title, token: await inspectorToken() })
  const address = await inspector.listen(inspectPort === undefined ? {} : { port: inspectPort })
  tell(`inspector: ${address}`)
  if (open) openInBrowser(address, tell)
  return inspector
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
