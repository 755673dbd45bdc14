import { dirname, join } from 'node:path'
import { requireNew, requireWritable, writeNew } from './new-file.ts'
import { clean } from './text.ts'
import { UsageError } from './usage-error.ts'

const RESULTS_FOLDER = 'results'

/** A run id that is given has no more characters, and two parts of a name find room in every file system. */
const PART_LENGTH_MAX = 100

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
  // Neither hidden nor like an option.
  const name = partOfName(workflow).replace(/^[.-]+/, '') || 'run'
  const file = join(RESULTS_FOLDER, `${name}-${partOfName(runId)}.json`)
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

/** Without what a file system could take for a folder or refuse; a run id that the command line takes stays as it is. */
function partOfName(text: string): string {
  return clean(text, PART_LENGTH_MAX).replaceAll(/[^\w.-]+/g, '-')
}
