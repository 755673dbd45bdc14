import { access, constants, mkdir, open, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { UsageError } from './usage-error.ts'

// Files that a command writes at its end: whether they can be made is found out at its beginning.

/**
 * Makes sure that a file which the user has named can be made; nothing is made yet.
 *
 * @param option - By which it was named, such as `--out`.
 * @throws {UsageError}
 */
export async function requireNew(option: string, file: string): Promise<void> {
  try {
    await requireWritable(dirname(file))
  } catch (error) {
    throw new UsageError(
      `${option} names ${file}, which cannot be written: ${(error as Error).message}. Name another.`,
    )
  }
  if ((await stat(file).catch(() => undefined)) !== undefined) {
    throw new UsageError(
      `${option} names ${file}, which exists, and is not overwritten. Remove it, or name another file.`,
    )
  }
}

/** Checks that something can be made in a folder, or in the one that it would be made in. */
export async function requireWritable(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => undefined)
  if (found?.isDirectory()) return access(folder, constants.W_OK)
  if (found !== undefined) throw new Error(`${folder} is not a folder`)
  const parent = dirname(folder)
  if (parent !== folder) await requireWritable(parent)
}

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
