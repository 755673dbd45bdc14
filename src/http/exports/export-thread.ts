import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { ExportFormat } from '../../protocol/routes.ts'

/**
 * A recording in another format, part by part, written by a thread of its own: folding and packing a large one takes seconds.
 *
 * The next part is made when it is asked for, so one who reads slowly makes nobody keep the rest.
 */
export async function* exportElsewhere(recording: Uint8Array, format: ExportFormat): AsyncGenerator<string> {
  // The build names its files .js.
  const file = import.meta.url.endsWith('.ts') ? './export-worker.ts' : './export-worker.js'
  const worker = new Worker(new URL(file, import.meta.url), { workerData: { recording, format } })
  try {
    for (;;) {
      worker.postMessage('next')
      const [part] = (await once(worker, 'message')) as [string | undefined]
      if (part === undefined) return
      yield part
    }
  } finally {
    await worker.terminate()
  }
}
