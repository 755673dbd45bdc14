import { dirname, join } from 'node:path'
import { requireNew, requireWritable, writeNew } from './new-file.ts'
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
  if (out !== undefined) {
    await requireNew('--out', out)
    return out
  }
  const file = join(RESULTS_FOLDER, `${fileName(workflow)}-${fileName(runId)}.json`)
  try {
    await requireWritable(dirname(file))
  } catch (error) {
    throw new UsageError(
      `The result cannot be written to ${file}: ${(error as Error).message}. Name another with --out.`,
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
  for (let number = 1; ; number++) {
    const candidate = number === 1 ? file : file.replace(/(\.json)?$/, `-${number}$1`)
    try {
      await writeNew(candidate, text)
      return candidate
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}

/** A name with nothing in it that a file system could take for a folder or refuse. */
function fileName(text: string): string {
  const safe = clean(text, 80).replaceAll(/[^\w.-]+/g, '-')
  return safe.replaceAll(/^[.-]+|-+$/g, '') || 'run'
}
