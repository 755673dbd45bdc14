import type { CommandLine } from '../domain/command.ts'
import type { Execute } from '../domain/job.ts'
import { isListOf, isText, isVariableName } from './texts.ts'

const WANTED = '{ command, args?, env?, cwd?, stdin?, result?, okExitCodes? }'
const FIELDS = ['command', 'args', 'env', 'cwd', 'stdin', 'result', 'okExitCodes']
const RESULTS: readonly unknown[] = [undefined, 'output', 'json', 'text']

/** What a command must be, where this is something else: in words, for an error text. */
export function checkCommand(execute: Execute): string | undefined {
  if (process.platform === 'win32') return 'Linux or macOS, since Windows has no process groups, and'
  const line = execute as Partial<Record<keyof CommandLine, unknown>> | null
  if (typeof line !== 'object' || line === null) return WANTED
  const unknown = Object.keys(line).find((field) => !FIELDS.includes(field))
  if (unknown !== undefined) return `${WANTED}, without \`${unknown}\``
  const { command, args, env, cwd, stdin, result, okExitCodes } = line
  if (!isText(command) || command === '') return `${WANTED} with a program's name or path as \`command\``
  if (args !== undefined && !isListOf(args, isText))
    return `${WANTED} with an array of strings without NUL as \`args\``
  if (env !== undefined && !isEnvironment(env))
    return `${WANTED} with strings without NUL as \`env\`, and no "=" in their names`
  if (cwd !== undefined && !isText(cwd)) return `${WANTED} with a path as \`cwd\``
  if (stdin !== undefined && typeof stdin !== 'string' && !(stdin instanceof Uint8Array))
    return `${WANTED} with a string or bytes as \`stdin\``
  if (!RESULTS.includes(result) && !isText((result as { file?: unknown } | null)?.file))
    return `${WANTED} with 'output', 'json', 'text' or { file } as \`result\``
  if (okExitCodes !== undefined && !(Array.isArray(okExitCodes) && okExitCodes.every(isExitCode)))
    return `${WANTED} with an array of numbers from 0 to 255 as \`okExitCodes\``
  return undefined
}

const isExitCode = (value: unknown): boolean =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 255

const isEnvironment = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  Object.entries(value).every(([name, text]) => isVariableName(name) && isText(text))
