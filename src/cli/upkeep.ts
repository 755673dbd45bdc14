import { cancelStoredRun } from '../compose.ts'
import { openSqliteStore } from '../index.ts'
import type { Output } from './output.ts'
import type { LookOptions } from './runs.ts'
import { findRun, type KeepOptions, keepOf, storeFile } from './store.ts'
import { formatBytes, plural } from './text.ts'

export interface PruneOptions extends LookOptions, KeepOptions {}

/** Lets go of ended runs and jobs, and gives the room back. @throws {EspalierError} What opening the store throws. */
export function prune(options: PruneOptions, output: Output): number {
  const store = openSqliteStore(storeFile(options), { mustExist: true })
  try {
    const before = store.size().bytes
    const report = store.prune({ now: Date.now(), keep: keepOf(options) })
    const { bytes } = store.size()
    if (options.json) output.document({ ...report, bytes, freedBytes: before - bytes })
    else {
      const gone = `${plural(report.runs, 'run')} and ${plural(report.jobs, 'job')} of their own`
      output.print([
        [`${gone} are gone; the store has ${formatBytes(bytes)} (${formatBytes(before)} before).`],
      ])
    }
    return 0
  } finally {
    store.close()
  }
}

/**
 * Cancels a stored run that no process works on; nothing of it runs any more.
 *
 * @throws {EspalierError} `ESP_UNKNOWN_RUN`, `ESP_STORE_OWNED` while a process works on it: end that instead.
 */
export async function cancelRun(runId: string, options: LookOptions, output: Output): Promise<number> {
  const store = openSqliteStore(storeFile(options), { mustExist: true })
  try {
    const run = findRun(store, runId)
    const status = run.status === 'running' ? (await cancelStoredRun(run, store)).status : run.status
    if (options.json) output.document({ runId, status })
    else output.print([[`${runId} is ${status}.`]])
    return status === 'cancelled' ? 0 : 1
  } finally {
    store.close()
  }
}
