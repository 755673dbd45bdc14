import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { defineWorkflow, type Workflow } from '../index.ts'
import { UsageError } from './usage-error.ts'

/**
 * Loads a workflow: the default export of a module, JavaScript or TypeScript.
 *
 * @throws {UsageError} When there is no such file, it cannot be imported, or exports no workflow; the cause is kept.
 */
export async function loadWorkflow(path: string): Promise<Workflow> {
  await requireFile(path)
  const { default: exported } = await importModule(path)
  if (exported === undefined) {
    throw new UsageError(
      `${path} has no default export, but a workflow was expected. Write: export default defineWorkflow({ … }).`,
    )
  }
  try {
    return defineWorkflow(exported as Workflow)
  } catch (error) {
    throw new UsageError(`The default export of ${path} is not a workflow. ${messageOf(error)}`, {
      cause: error,
    })
  }
}

async function requireFile(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined)
  if (found?.isFile()) return
  if (found?.isDirectory()) {
    throw new UsageError(
      `${path} is a folder, but a workflow's file was expected, such as ${path}/workflow.ts.`,
    )
  }
  throw new UsageError(`There is no file ${path} (looked for ${resolve(path)}). Check the path.`)
}

async function importModule(path: string): Promise<{ readonly default?: unknown }> {
  try {
    return await import(pathToFileURL(resolve(path)).href)
  } catch (error) {
    const place = placeOf(error)
    const where = place === undefined ? '' : ` (${place})`
    throw new UsageError(`${path} cannot be imported: ${nameOf(error)}${messageOf(error)}${where}`, {
      cause: error,
    })
  }
}

/** Where in the user's files an import failed: Node puts it before a syntax error's text, or into the frames. */
function placeOf(error: unknown): string | undefined {
  const lines = String((error as Partial<Error> | undefined)?.stack).split('\n')
  const head = /^(?:file:\/\/)?(\/.*|[A-Z]:\\.*):(\d+)$/i.exec(lines[0] as string)
  if (head !== null) return `${head[1]}:${head[2]}`
  const frame = lines.find((line) => line.startsWith('    at ') && line.includes('file://'))
  return frame === undefined ? undefined : /file:\/\/([^)]*)/.exec(frame)?.[1]
}

function nameOf(error: unknown): string {
  return error instanceof SyntaxError ? 'SyntaxError: ' : ''
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message.trimEnd() : `it threw ${String(error)}`
}
