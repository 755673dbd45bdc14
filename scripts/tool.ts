import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The folder of the package, absolute. */
export const root = join(import.meta.dirname, '..')

/** A tool that hangs is ended and reported, not waited for. */
const LONGEST_MS = 300_000

export interface Ran {
  readonly ok: boolean
  /** Why it is not ok: an exit code, a signal, or the reason it did not start. Empty when it is. */
  readonly why: string
  /** Standard output and error, in the order they came. */
  readonly output: string
}

/** Runs a program without a shell and keeps what it prints; never rejects. */
export function run(program: string, args: readonly string[], cwd = root): Promise<Ran> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], timeout: LONGEST_MS })
    const chunks: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk))
    const end = (ok: boolean, why: string) => resolve({ ok, why, output: Buffer.concat(chunks).toString() })
    child.on('error', (error) => end(false, `did not start: ${error.message}`))
    child.on('close', (code, signal) => end(code === 0, code === 0 ? '' : `exit ${code ?? signal}`))
  })
}

/**
 * Runs the command line of an installed package by its JS entry, with this very Node.
 *
 * @param tool - `package#command`, or `package` alone when the command bears the last part of its name.
 */
export function runTool(tool: string, ...args: readonly string[]): Promise<Ran> {
  const [name = tool, command = name.split('/').at(-1)] = tool.split('#')
  const folder = join(root, 'node_modules', name)
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const entry = typeof bin === 'string' ? bin : bin[command as string]
  return run(process.execPath, [join(folder, entry), ...args])
}

/** Runs npm, the same that runs this script when it is run by one. */
export function runNpm(...args: readonly string[]): Promise<Ran> {
  const cli = process.env.npm_execpath
  return cli?.endsWith('.js') ? run(process.execPath, [cli, ...args]) : run('npm', args)
}
