import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { EspalierError } from '../domain/errors.ts'

/**
 * A file of espalier's that a thread or process begins with, as a source or compiled.
 *
 * In a bundle this code lies in the program's own file: a path taken from there would start another file, or the whole
 * program once more.
 *
 * @throws {EspalierError} `ESP_BUNDLED` when it is not there.
 */
export function ownFile(name: 'thread/worker' | 'process/worker' | 'watchdog-main'): string {
  // Absent in a CommonJS bundle.
  const url: string | undefined = import.meta.url
  const extension = /\/own-file(\.\w+)$/.exec(url ?? '')?.[1]
  if (extension !== undefined) {
    const path = fileURLToPath(new URL(`./${name}${extension}`, url))
    if (existsSync(path)) return path
  }
  throw new EspalierError('ESP_BUNDLED', { file: `executors/${name}` })
}
