import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, extname, isAbsolute, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { defineWorkflow, type Workflow } from '../index.ts'
import { UsageError } from './usage-error.ts'

/**
 * Loads a workflow: the default export of a module, JavaScript or TypeScript.
 *
 * @throws {UsageError} When there is no such file, it cannot be imported, or exports no workflow; the cause is kept.
 */
export async function loadWorkflow(path: string): Promise<Workflow> {
  return (await loadModule(path)).workflow
}

/** A workflow, and what else its module exports. @throws {UsageError} As {@link loadWorkflow}. */
export async function loadModule(
  path: string,
): Promise<{ readonly workflow: Workflow; readonly exports: Readonly<Record<string, unknown>> }> {
  await requireFile(path)
  const exports = await importModule(path)
  return { workflow: workflowOf(path, defaultOf(exports)), exports }
}

/** Its default export; of a module that a compiler made CommonJS, Node gives all of `module.exports` as that. */
function defaultOf({ default: exported }: Readonly<Record<string, unknown>>): unknown {
  const compiled = exported as
    | { readonly __esModule?: unknown; readonly default?: unknown }
    | null
    | undefined
  return compiled?.__esModule === true ? compiled.default : exported
}

function workflowOf(path: string, exported: unknown): Workflow {
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
  if (found?.isDirectory()) {
    const modules = await modulesIn(path)
    const example = modules.includes('workflow.ts') ? 'workflow.ts' : modules[0]
    const such = example === undefined ? '' : `, such as ${join(path, example)}`
    throw new UsageError(`${path} is a folder, but a workflow's file was expected${such}.`)
  }
  if (!found?.isFile()) {
    const near = await nearestFile(path)
    const advice = near === undefined ? 'Check the path.' : `Did you mean ${near}?`
    throw new UsageError(
      `There is no file ${path}${isAbsolute(path) ? '' : ` (looked for ${resolve(path)})`}. ${advice}`,
    )
  }
  if (!EXTENSIONS.includes(extname(path))) {
    throw new UsageError(
      `${path} is no module, but a workflow's file was expected: TypeScript or JavaScript (${EXTENSIONS.join(', ')}).`,
    )
  }
}

/** What Node imports as code. */
const EXTENSIONS = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs']

async function modulesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => [])
  return names.filter((name) => EXTENSIONS.includes(extname(name))).toSorted()
}

/** The module beside it whose name begins most like this one's; a mistyped name or ending is what happens. */
async function nearestFile(path: string): Promise<string | undefined> {
  const wanted = basename(path, extname(path))
  let nearest: string | undefined
  let longest = Math.min(3, wanted.length) - 1
  for (const name of await modulesIn(dirname(path))) {
    const length = commonBeginning(wanted, name)
    if (length <= longest) continue
    longest = length
    nearest = name
  }
  return nearest === undefined ? undefined : join(dirname(path), nearest)
}

function commonBeginning(a: string, b: string): number {
  let length = 0
  while (length < a.length && a[length] === b[length]) length++
  return length
}

async function importModule(path: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await import(pathToFileURL(resolve(path)).href)
  } catch (error) {
    const place = placeOf(error)
    const where = place === undefined ? '' : ` (${place})`
    throw new UsageError(
      `${path} cannot be imported: ${nameOf(error)}${messageOf(error)}${where}${adviceOn(error, path)}`,
      {
        cause: error,
      },
    )
  }
}

/** What to do, where Node's own text does not tell. */
function adviceOn(error: unknown, path: string): string {
  const { code, message } = error as Partial<NodeJS.ErrnoException>
  const name = code === 'ERR_MODULE_NOT_FOUND' && /^Cannot find package '([^']+)'/.exec(String(message))?.[1]
  if (name) return `. Install it where the workflow is: npm install ${name}.`
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') {
    return '. Node only strips types: write it without enums, namespaces and parameter properties.'
  }
  // What Node says of a module's own syntax where a package.json has "type": "commonjs", as `npm init` writes it.
  if (/^\.[jt]s$/.test(extname(path)) && MODULE_SYNTAX.test(String(message))) {
    const name = basename(path).replace(/(?=[jt]s$)/, 'm')
    return `. Set "type": "module" in the package.json that is nearest, or name the file ${name}.`
  }
  return ''
}

const MODULE_SYNTAX =
  /^(?:Cannot use import statement outside a module|Unexpected token 'export'|Cannot use 'import\.meta')/

/** Files of espalier itself: that one of them threw says nothing of where the mistake is. */
const OWN_FILES = new URL('..', import.meta.url).href

/** Where in the user's files an import failed: Node puts it before a syntax error's text, or into the frames. */
function placeOf(error: unknown): string | undefined {
  const lines = String((error as Partial<Error> | undefined)?.stack).split('\n')
  const head = /^(?:file:\/\/)?(\/.*|[A-Z]:\\.*):(\d+)$/i.exec(lines[0] as string)
  if (head !== null) return `${head[1]}:${head[2]}`
  const frame = lines.find(
    (line) => line.startsWith('    at ') && line.includes('file://') && !line.includes(OWN_FILES),
  )
  return frame === undefined ? undefined : /file:\/\/([^)]*)/.exec(frame)?.[1]
}

function nameOf(error: unknown): string {
  return error instanceof SyntaxError ? 'SyntaxError: ' : ''
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message.trimEnd() : `it threw ${String(error)}`
}
