import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { JobPool } from 'espalier'
import { createInspector, type Inspector } from 'espalier/http'

/** A page that looks on, in a process of its own as a browser is. */
export interface LookingOn {
  readonly inspector: Inspector
  /** What it has been sent until now. */
  bytes(): Promise<number>
  close(): Promise<void>
}

/** Opens a page's connection, which takes all that comes, and waits until it has what there is. */
export async function looksOn(pool: JobPool): Promise<LookingOn> {
  const inspector = createInspector(pool)
  const { origin } = new URL(await inspector.listen())
  const viewer = fork(fileURLToPath(new URL('./viewer.ts', import.meta.url)), [origin, inspector.token])
  await once(viewer, 'message')
  return {
    inspector,
    bytes: async () => {
      viewer.send('bytes')
      const [bytes] = (await once(viewer, 'message')) as [number]
      return bytes
    },
    close: async () => {
      await inspector.close()
      await ended(viewer)
    },
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null) await once(child, 'exit')
}
