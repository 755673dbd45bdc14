import type { Stats } from 'node:fs'
import { access, constants, lstat, mkdir, open, rm, stat } from 'node:fs/promises'
import { dirname, sep } from 'node:path'
import { UsageError } from './usage-error.ts'

// Files that a command writes at its end: whether they can be made is found out at its beginning.

/**
 * Makes sure that a file which the user has named can be made; nothing is made yet.
 *
 * @param option - By which it was named, such as `--out`.
 * @throws {UsageError}
 */
export async function requireNew(option: string, file: string): Promise<void> {
  let isThere: boolean
  try {
    if (file === '' || file.endsWith('/') || file.endsWith(sep)) throw new Error('a file has a name')
    await requireWritable(dirname(file))
    isThere = (await look(stat, file)) !== undefined
    if (!isThere) await requireNoLink(file)
  } catch (error) {
    throw new UsageError(
      `${option} names ${file}, which cannot be written: ${(error as Error).message}. Name another.`,
    )
  }
  if (isThere) {
    throw new UsageError(
      `${option} names ${file}, which exists, and is not overwritten. Remove it, or name another file.`,
    )
  }
}

/** Checks that something can be made in a folder, or in the one that it would be made in. */
export async function requireWritable(folder: string): Promise<void> {
  const found = await look(stat, folder)
  if (found?.isDirectory()) return access(folder, constants.W_OK)
  if (found !== undefined) throw new Error(`${folder} is not a folder`)
  await requireNoLink(folder)
  const parent = dirname(folder)
  if (parent !== folder) await requireWritable(parent)
}

/** Nothing can be made through a link that leads nowhere. */
async function requireNoLink(path: string): Promise<void> {
  if ((await look(lstat, path)) !== undefined) throw new Error(`${path} is a link to what is not there`)
}

/** @returns `undefined` when nothing is there. */
async function look(how: typeof stat | typeof lstat, path: string): Promise<Stats | undefined> {
  try {
    return await how(path)
  } catch (error) {
    if (NOT_THERE.has((error as NodeJS.ErrnoException).code)) return undefined
    throw error
  }
}

const NOT_THERE: ReadonlySet<unknown> = new Set(['ENOENT', 'ENOTDIR'])

/** Writes a file that is not there yet, and its folder: all of it, or none. Rejects with `EEXIST` when it is there. */
export async function writeNew(file: string, body: string | Uint8Array | Iterable<string>): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  const handle = await open(file, 'wx')
  try {
    await handle.writeFile(body)
  } catch (error) {
    await rm(file, { force: true })
    throw error
  } finally {
    await handle.close()
  }
}
