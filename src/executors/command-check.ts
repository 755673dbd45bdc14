import type { CommandLine } from '../domain/command.ts'
import type { Execute } from '../domain/job.ts'
import { refusesUnknown } from './known-fields.ts'
import { isListOf, isText, isVariableName } from './texts.ts'

const WANTED = '{ command, args?, env?, cwd?, stdin?, result?, okExitCodes? }'
const FIELDS = [
  'command',
  'args',
  'env',
  'cwd',
  'stdin',
  'result',
  'okExitCodes',
] as const satisfies readonly (keyof CommandLine)[]
const RESULTS: readonly unknown[] = [undefined, 'output', 'json', 'text']

/** What a command must be, where this is something else: in words, for an error text. */
export function checkCommand(execute: Execute): string | undefined {
  if (process.platform === 'win32') return 'Linux or macOS, since Windows has no process groups, and'
  const line = execute as Partial<Record<keyof CommandLine, unknown>> | null
  if (typeof line !== 'object' || line === null) return WANTED
  const unknown = refusesUnknown(WANTED, line, FIELDS)
  if (unknown !== undefined) return unknown
  const { command, args, env, cwd, stdin, result, okExitCodes } = line
  if (!isText(command) || command === '') return `${WANTED} with a program's name or path as \`command\``
  if (args !== undefined && !isListOf(args, isText))
    return `${WANTED} with an array of strings without NUL as \`args\``
  if (env !== undefined && !isEnvironment(env))
    return `${WANTED} with an object of strings without NUL as \`env\`, and no "=" in their names`
  if (cwd !== undefined && !isText(cwd)) return `${WANTED} with a path as \`cwd\``
  if (stdin !== undefined && typeof stdin !== 'string' && !(stdin instanceof Uint8Array))
    return `${WANTED} with a string or bytes as \`stdin\``
  if (okExitCodes !== undefined && !(isListOf(okExitCodes, isExitCode) && okExitCodes.length > 0))
    return `${WANTED} with an array of one or more whole numbers from 0 to 255 as \`okExitCodes\``
  return RESULTS.includes(result) ? undefined : checkResult(result)
}

function checkResult(result: unknown): string | undefined {
  const expected = `${WANTED} with 'output', 'json', 'text' or { file } as \`result\``
  const { file } = (result ?? {}) as { file?: unknown }
  if (!isText(file) || file === '') return expected
  return refusesUnknown(expected, result as object, ['file'])
}

const isExitCode = (value: unknown): boolean =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 255

const isEnvironment = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  !(Symbol.iterator in value) &&
  Object.entries(value).every(([name, text]) => isVariableName(name) && isText(text))
