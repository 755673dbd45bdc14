import { type Filter, parseFilter } from './filter.ts'
import { ABSENT, BY_URGENCY, STATE_COUNT, STATE_NAMES } from './job-states.ts'
import type { Moment } from './moment.ts'
import { PRIORITIES, prioritiesAt } from './priorities.ts'
import type { RunStore } from './run-store.ts'
import { usedUntil } from './used.ts'

/** What a list of jobs can be sorted by. */
export const SORTS = [
  'urgency',
  'name',
  'queued',
  'wait',
  'run',
  'attempts',
  'score',
  'cpu',
  'memory',
] as const
export type Sort = (typeof SORTS)[number]

export interface JobList {
  /** Jobs by number, in order. */
  readonly jobs: Uint32Array
  /** The priority of each job of the run at this moment. */
  readonly priorities: Uint8Array
  /** How many of all there are at this moment. */
  readonly total: number
  /** Of what the rest of the filter finds, whatever their state, kind or priority. */
  readonly facets: {
    readonly states: Uint32Array
    readonly kinds: ReadonlyMap<string, number>
    readonly priorities: Uint32Array
  }
}

/** The jobs a filter finds at a moment. Without another order, failures come first, then what is at work, newest first. */
export function listJobs(
  run: RunStore,
  moment: Moment,
  filter: Filter,
  sort: Sort,
  isDescending: boolean,
): JobList {
  const matches = matcher(run, moment, filter)
  const isOpen = filter.states.length + filter.kinds.length + filter.priorities.length === 0
  if (matches === undefined && isOpen && sort === 'urgency') return listAll(run, moment, isDescending)
  const { total, states } = moment
  const { data: kinds } = run.jobs.kind
  const priorities = prioritiesAt(run, moment)
  // As tables of 0 and 1: asked for each of 100,000 jobs in each frame.
  const ofStates = allowed(STATE_COUNT, filter.states, (name) => [STATE_NAMES.indexOf(name)])
  const ofPriorities = allowed(PRIORITIES.length, filter.priorities, (name) => [
    PRIORITIES.indexOf(name as never),
  ])
  const ofKinds = allowed(run.strings.length, filter.kinds, (name) => numbersOf(run, name))
  const perState = new Uint32Array(STATE_COUNT)
  const perPriority = new Uint32Array(PRIORITIES.length)
  const perKind = new Uint32Array(run.strings.length)
  const foundOfState = new Uint32Array(STATE_COUNT)
  const found = new Uint32Array(run.jobCount)
  let length = 0
  for (let job = 0; job < found.length; job++) {
    const state = states[job]!
    if (state === ABSENT || matches?.(job) === false) continue
    const kind = kinds[job]!
    const priority = priorities[job]!
    const isOfState = ofStates[state]!
    const isOfKind = ofKinds[kind]!
    const isOfPriority = ofPriorities[priority]!
    const isFound = isOfState & isOfKind & isOfPriority
    perState[state]! += isOfKind & isOfPriority
    perKind[kind]! += isOfState & isOfPriority
    perPriority[priority]! += isOfState & isOfKind
    foundOfState[state]! += isFound
    found[length] = job
    length += isFound
  }
  const list = found.subarray(0, length)
  const facets = { states: perState, kinds: named(run, perKind), priorities: perPriority }
  const told = { priorities, total, facets }
  if (sort === 'urgency') return { jobs: byUrgency(list, states, foundOfState, isDescending), ...told }
  sortBy(run, list, sort, isDescending, moment)
  return { jobs: list, ...told }
}

/** All jobs there are at a moment, by urgency: each gets its place at once, since the moment knows how many are in each state. */
function listAll(run: RunStore, moment: Moment, isReversed: boolean): JobList {
  const { total, states, counts } = moment
  const { data: kinds } = run.jobs.kind
  const priorities = prioritiesAt(run, moment)
  const perPriority = new Uint32Array(PRIORITIES.length)
  const perKind = new Uint32Array(run.strings.length)
  const ends = endsOf(counts)
  const jobs = new Uint32Array(total)
  for (let job = 0; job < run.jobCount; job++) {
    const state = states[job]!
    if (state === ABSENT) continue
    perKind[kinds[job]!]!++
    perPriority[priorities[job]!]!++
    jobs[--ends[state]!] = job
  }
  const facets = { states: counts.slice(), kinds: named(run, perKind), priorities: perPriority }
  return { jobs: isReversed ? jobs.reverse() : jobs, priorities, total, facets }
}

function named(run: RunStore, perKind: Uint32Array): Map<string, number> {
  const counts = new Map<string, number>()
  perKind.forEach((count, kind) => {
    if (count > 0) counts.set(run.strings[kind]!, count)
  })
  return counts
}

/** The jobs that a search finds at a moment, failures first. */
export const findJobs = (run: RunStore, moment: Moment, text: string): Uint32Array =>
  listJobs(run, moment, parseFilter(text), 'urgency', false).jobs

/** 1 for each number that a filter names, and for all when it names none. */
function allowed(
  count: number,
  names: readonly string[],
  numbersOfName: (name: string) => readonly number[],
): Uint8Array {
  if (names.length === 0) return new Uint8Array(count).fill(1)
  const table = new Uint8Array(count)
  for (const number of names.flatMap(numbersOfName)) table[number] = 1
  return table
}

const numbersOf = (run: RunStore, name: string): number[] =>
  run.strings.flatMap((text, number) => (text === name ? [number] : []))

/** What a job has waited for slots until a moment, ms. */
export function waitedUntil(run: RunStore, job: number, at: number): number {
  let waited = 0
  for (let slice = run.jobs.lastSlice.data[job]!; slice >= 0; slice = run.slices.previous.data[slice]!) {
    const [ready, start] = [run.slices.readyAt.data[slice]!, run.slices.start.data[slice]!]
    if (ready < at) waited += Math.min(start, at) - ready
  }
  const last = run.jobs.lastSlice.data[job]!
  const readyAt = run.jobs.readyAt.data[job]!
  const isWaiting = last < 0 || run.slices.start.data[last]! < readyAt
  if (isWaiting && readyAt < at) waited += Math.min(at, nanOr(run.jobs.endedAt.data[job]!, at)) - readyAt
  return waited
}

/** What a job has run until a moment, ms, over all attempts. */
export function ranUntil(run: RunStore, job: number, at: number): number {
  let ran = 0
  for (let slice = run.jobs.lastSlice.data[job]!; slice >= 0; slice = run.slices.previous.data[slice]!) {
    const start = run.slices.start.data[slice]!
    if (start < at) ran += Math.min(run.slices.endOf(slice, at), at) - start
  }
  return ran
}

const nanOr = (value: number, other: number): number => (Number.isNaN(value) ? other : value)

function matcher(run: RunStore, moment: Moment, filter: Filter): ((job: number) => boolean) | undefined {
  const { words, longerMs, shorterMs, isRetried, dependsOn } = filter
  const dependency = dependsOn === undefined ? -1 : run.find(dependsOn)
  const dependants =
    dependsOn === undefined ? undefined : new Set(dependency < 0 ? [] : run.links.dependantsOf(dependency))
  if (
    words.length === 0 &&
    longerMs === undefined &&
    shorterMs === undefined &&
    !isRetried &&
    dependants === undefined
  )
    return undefined
  const texts = run.lowerCaseStrings()
  const holds = (job: number, word: string) => {
    const { jobs, tree, errors } = run
    const node = jobs.node.data[job]!
    const error = jobs.error.data[job]!
    return (
      run.idOf(job).toLowerCase().includes(word) ||
      texts[jobs.kind.data[job]!]!.includes(word) ||
      (node >= 0 && texts[tree.nodes.label.data[node]!]!.includes(word)) ||
      (node >= 0 && `n${tree.nodes.number.data[node]}` === word) ||
      (error >= 0 && texts[errors.message.data[error]!]!.includes(word))
    )
  }
  return (job) => {
    if (dependants !== undefined && !dependants.has(job)) return false
    if (isRetried && (run.jobs.attempts.data[job]! < 2 || moment.attemptsOf(job) < 2)) return false
    if (longerMs !== undefined || shorterMs !== undefined) {
      const ran = ranUntil(run, job, moment.at)
      if (longerMs !== undefined && ran <= longerMs) return false
      if (shorterMs !== undefined && ran >= shorterMs) return false
    }
    return words.every((word) => holds(job, word))
  }
}

/** A place for each job, found by counting: the order of 100,000 in a millisecond. */
function byUrgency(
  jobs: Uint32Array,
  states: Uint8Array,
  ofState: Uint32Array,
  isReversed: boolean,
): Uint32Array {
  const ends = endsOf(ofState)
  const sorted = new Uint32Array(jobs.length)
  // Of those alike, the newest stands first.
  for (let index = 0; index < jobs.length; index++) {
    const job = jobs[index]!
    sorted[--ends[states[job]!]!] = job
  }
  return isReversed ? sorted.reverse() : sorted
}

/** Where the jobs of each state end, when so many are in each. */
function endsOf(counts: Uint32Array): Uint32Array {
  const ends = new Uint32Array(STATE_COUNT)
  let end = 0
  for (const state of BY_URGENCY) {
    end += counts[state]!
    ends[state] = end
  }
  return ends
}

function sortBy(
  run: RunStore,
  jobs: Uint32Array,
  sort: Exclude<Sort, 'urgency'>,
  isDescending: boolean,
  moment: Moment,
): void {
  const sign = isDescending ? -1 : 1
  if (sort === 'name') {
    const names = new Map([...jobs].map((job) => [job, run.nameOf(job)]))
    jobs.sort((a, b) => sign * compareText(names.get(a) ?? '', names.get(b) ?? '') || a - b)
    return
  }
  const keys = new Float64Array(run.jobCount)
  // What is not known stands last, whichever way.
  for (const job of jobs) keys[job] = nanOr(keyOf(run, job, sort, moment), sign * Number.POSITIVE_INFINITY)
  jobs.sort((a, b) => sign * (keys[a]! - keys[b]!) || a - b)
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

function keyOf(run: RunStore, job: number, sort: Exclude<Sort, 'urgency' | 'name'>, moment: Moment): number {
  const { at } = moment
  switch (sort) {
    case 'queued':
      return run.jobs.queuedAt.data[job]!
    case 'wait':
      return waitedUntil(run, job, at)
    case 'run':
      return ranUntil(run, job, at)
    case 'attempts':
      return moment.attemptsOf(job)
    case 'score':
      return run.jobs.score.data[job]!
    case 'cpu':
      return usedUntil(run, job, at).cpuMs
    case 'memory':
      return usedUntil(run, job, at).memoryMiB
  }
}
