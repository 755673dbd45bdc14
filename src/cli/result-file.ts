import { access, constants, mkdir, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { clean } from './text.ts'
import { UsageError } from './usage-error.ts'

const RESULTS_FOLDER = 'results'

/**
 * Makes sure before the run that its result can be written after it; nothing is made yet.
 *
 * @param out - The file the user asked for; default: one in `results`, named after the workflow and the run.
 * @returns The file to write.
 * @throws {UsageError} When `out` exists, or the folder cannot be written to.
 */
export async function prepareResult(
  out: string | undefined,
  workflow: string,
  runId: string,
): Promise<string> {
  const file = out ?? join(RESULTS_FOLDER, `${fileName(workflow)}-${fileName(runId)}.json`)
  const folder = dirname(file)
  try {
    await requireWritable(folder)
  } catch (error) {
    throw new UsageError(
      `The result cannot be written to ${file}: ${(error as Error).message}. Name another with --out.`,
    )
  }
  if (out !== undefined && (await exists(file))) {
    throw new UsageError(
      `--out names ${file}, which exists, and is not overwritten. Remove it, or name another file.`,
    )
  }
  return file
}

/**
 * Writes the result, never over a file that exists: a number is appended to the name instead.
 *
 * @returns The file that was written.
 */
export async function writeResult(file: string, text: string): Promise<string> {
  await mkdir(dirname(file), { recursive: true })
  for (let number = 1; ; number++) {
    const candidate = number === 1 ? file : file.replace(/(\.json)?$/, `-${number}$1`)
    try {
      await writeFile(candidate, text, { flag: 'wx' })
      return candidate
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}

/** Checks the folder, or the one it would be made in. */
async function requireWritable(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => undefined)
  if (found?.isDirectory()) return access(folder, constants.W_OK)
  if (found !== undefined) throw new Error(`${folder} is not a folder`)
  const parent = dirname(folder)
  if (parent !== folder) await requireWritable(parent)
}

async function exists(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined)) !== undefined
}

/** A name with nothing in it that a file system could take for a folder or refuse. */
function fileName(text: string): string {
  const safe = clean(text, 80).replaceAll(/[^\w.-]+/g, '-')
  return safe.replaceAll(/^[.-]+|-+$/g, '') || 'run'
}
