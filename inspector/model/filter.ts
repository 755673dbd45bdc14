import { STATE_NAMES } from './job-states.ts'
import { PRIORITIES } from './priorities.ts'

/** What a search asks for: each part narrows. */
export interface Filter {
  /** States by name; none for all. */
  readonly states: readonly string[]
  readonly kinds: readonly string[]
  readonly priorities: readonly string[]
  /** Longer, or shorter, than so many ms in attempts. */
  readonly longerMs: number | undefined
  readonly shorterMs: number | undefined
  /** Only jobs that were tried again. */
  readonly isRetried: boolean
  /** Depends on the job with this id. */
  readonly dependsOn: string | undefined
  /** Words that the id, the kind, the label or the error holds; all of them. */
  readonly words: readonly string[]
}

/** Words of statuses stand for several states. */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  queued: ['blocked', 'ready', 'delayed'],
  running: ['executing', 'stopping'],
  ended: ['completed', 'failed', 'cancelled'],
}

/**
 * Reads a search: `state:failed kind:load priority:high >5s <1m is:retried dep:job-12 word "two words"`.
 *
 * What is no known part is a word.
 */
export function parseFilter(text: string): Filter {
  const states: string[] = []
  const kinds: string[] = []
  const priorities: string[] = []
  const words: string[] = []
  let longerMs: number | undefined
  let shorterMs: number | undefined
  let isRetried = false
  let dependsOn: string | undefined
  for (const part of split(text)) {
    const [, name = '', value = ''] = /^(state|kind|priority|dep|is):(.+)$/s.exec(part) ?? []
    const duration = /^([<>])(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(part)
    if (name === 'state' && value.split(',').every(isState))
      states.push(...value.split(',').flatMap(statesOf))
    else if (name === 'kind') kinds.push(value)
    else if (name === 'priority' && isPriority(value)) priorities.push(value)
    else if (name === 'dep') dependsOn = value
    else if (name === 'is' && value === 'retried') isRetried = true
    else if (duration !== null) {
      const ms = Number(duration[2]) * (UNITS[duration[3] ?? 'ms'] ?? 1)
      if (duration[1] === '>') longerMs = ms
      else shorterMs = ms
    } else words.push(part.toLowerCase())
  }
  return { states, kinds, priorities, longerMs, shorterMs, isRetried, dependsOn, words }
}

/** Adds a part to a search, or removes it when it is there. */
export function togglePart(text: string, part: string): string {
  const parts = split(text)
  const others = parts.filter((each) => each !== part)
  return (others.length < parts.length ? others : [...parts, part]).map(quote).join(' ')
}

export const hasPart = (text: string, part: string): boolean => split(text).includes(part)

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

const statesOf = (name: string): readonly string[] => GROUPS[name] ?? [name]
const isState = (name: string): boolean => name in GROUPS || STATE_NAMES.includes(name)
const isPriority = (name: string): boolean => (PRIORITIES as readonly string[]).includes(name)

/** Parts are set apart by blanks, except inside quotation marks; two of these in there are one that is meant. */
function split(text: string): string[] {
  return [...text.matchAll(/(?:[^\s"]+|"(?:[^"]|"")*"?)+/g)].map(([part]) => unquote(part)).filter(Boolean)
}

const unquote = (part: string): string =>
  part.replace(/"((?:[^"]|"")*)"?/g, (_, quoted: string) => quoted.replaceAll('""', '"'))

/** A part as it is written in a search. */
export const quote = (part: string): string =>
  /[\s"]/.test(part)
    ? part.replace(
        /^(\w+:)?(.*)$/s,
        (_, name = '', value: string) => `${name}"${value.replaceAll('"', '""')}"`,
      )
    : part
