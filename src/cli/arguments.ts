import { readFile } from 'node:fs/promises'
import { InvalidArgumentError } from 'commander'
import type { KeepRule, Resources } from '../index.ts'
import { UsageError } from './usage-error.ts'

const KEY_VALUE = /^([A-Za-z_$][\w$.-]*)=(.*)$/s

/**
 * Reads a run's input as it was given on the command line.
 *
 * @param given - One JSON text, one `@file.json`, or any number of `key=value`; of a value, what is JSON is read as
 * such, and anything else is a string.
 * @returns `{}` when nothing was given.
 * @throws {UsageError} Telling where the text stops being JSON, or which part is not understood.
 */
export async function readInput(given: readonly string[]): Promise<unknown> {
  const [first] = given
  if (first === undefined) return {}
  if (first.startsWith('@') && given.length === 1) return readJsonFile(first.slice(1))
  if (KEY_VALUE.test(first)) return readPairs(given)
  if (given.length === 1) return parseJson(first, '--input')
  throw new UsageError(
    `--input takes one JSON text, one @file.json or several key=value, but got ${given.length} values of which ` +
      `"${first}" is not key=value. Quote JSON as one argument: --input '{"k": 3}'.`,
  )
}

async function readJsonFile(path: string): Promise<unknown> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw new UsageError(
      `--input names the file "${path}", which cannot be read: ${(error as Error).message}`,
    )
  }
  return parseJson(text.replace(/^\ufeff/, ''), `--input file ${path}`)
}

function readPairs(pairs: readonly string[]): Record<string, unknown> {
  const read = new Map<string, unknown>()
  for (const pair of pairs) {
    const [, key, value] = KEY_VALUE.exec(pair) ?? []
    if (key === undefined || value === undefined) {
      throw new UsageError(
        `--input expects key=value here, but got "${pair}". Quote a value that contains spaces.`,
      )
    }
    if (read.has(key)) throw new UsageError(`--input has the key "${key}" twice. Give it once.`)
    read.set(key, jsonOrText(value))
  }
  return Object.fromEntries(read)
}

function jsonOrText(value: string): unknown {
  try {
    return JSON.parse(value)
  } catch {
    return value
  }
}

function parseJson(text: string, source: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const lines = text.slice(0, errorPosition(text)).split('\n')
    const place = `line ${lines.length}, column ${(lines.at(-1) as string).length + 1}`
    const problem = (error as Error).message.replace(
      / in JSON at position.*| \(line.*|, .* is not valid JSON$/s,
      '',
    )
    throw new UsageError(
      `${source} is not JSON at ${place}: ${problem}. Give JSON, @file.json, or key=value pairs: --input k=3 name=x.`,
    )
  }
}

/** Where a text stops being JSON: V8 tells the position for some errors only, so the shortest wrong beginning is sought. */
function errorPosition(text: string): number {
  let right = 0
  let wrong = text.length
  while (right < wrong) {
    const middle = (right + wrong) >> 1
    if (canBegin(text.slice(0, middle + 1))) right = middle + 1
    else wrong = middle
  }
  return right
}

/** Whether JSON can begin with this: it is JSON, or is only cut short. */
function canBegin(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch (error) {
    const { message } = error as Error
    const at = /at position (\d+)/.exec(message)?.[1]
    return at === undefined ? message.startsWith('Unexpected end') : Number(at) >= text.length
  }
}

/** Reads a whole number from 1 up, for commander. */
export function positiveInteger(text: string): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= 1) return value
  throw new InvalidArgumentError('Give a whole number of at least 1.')
}

/** Reads the number of a port, for commander. */
export function portNumber(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535) return Number(text)
  throw new InvalidArgumentError('Give a port from 1 to 65535.')
}

/** Reads how many jobs may run at a time, for commander. */
export function parallelism(text: string): number | 'auto' {
  return text === 'auto' ? text : positiveInteger(text)
}

/** Reads how much jobs may hold of a resource, beside those that were named before, for commander. */
export function resourceLimit(text: string, before: Resources = {}): Resources {
  const [, name, amount] = /^([^=]+)=(\d+(?:\.\d+)?)$/.exec(text) ?? []
  if (name !== undefined) return { ...before, [name]: Number(amount) }
  throw new InvalidArgumentError('Give a name and how much, such as gpu=1 or memoryBytes=2000000000.')
}

/** Reads a whole number from 0 up, for commander. */
export function wholeNumber(text: string): number {
  return text === '0' ? 0 : positiveInteger(text)
}

const AGE = /^(\d+(?:\.\d+)?)(s|m|h|d)$/
const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Reads how many of something to keep, such as `1000`, or for how long, such as `7d`, for commander. */
export function keepRule(text: string): KeepRule {
  const [, amount, unit] = AGE.exec(text) ?? []
  if (amount !== undefined) return { ageMs: Number(amount) * UNIT_MS[unit as keyof typeof UNIT_MS] }
  if (/^\d+$/.test(text) && Number.isSafeInteger(Number(text))) return { count: Number(text) }
  throw new InvalidArgumentError('Give how many, such as 1000, or for how long, such as 7d, 12h, 30m or 90s.')
}

/** Reads a run's id, for commander: it becomes part of ids and of a file's name. */
export function runIdentifier(text: string): string {
  if (/^[\w.][\w.-]{0,99}$/.test(text)) return text
  throw new InvalidArgumentError(
    'Use 1 to 100 letters, digits, dots, dashes and underscores, and no dash at the beginning.',
  )
}
