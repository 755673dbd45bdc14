import { type Cause, explainStored, type JobExplanation, type Want } from '../index.ts'
import { toJson } from './json.ts'
import { type Line, styled } from './line.ts'
import type { Output } from './output.ts'
import type { LookOptions } from './runs.ts'
import { resumeCommand, withReader } from './store.ts'
import { clean, plural } from './text.ts'

/** How many jobs of a kind have a line each. */
const LISTED_MAX = 10

/** Tells why a stored job is where it is. @throws {EspalierError} `ESP_UNKNOWN_JOB`. */
export function why(jobId: string, options: LookOptions, output: Output): number {
  const { found, next } = withReader(options, (store) => ({
    found: explainStored(jobId, store),
    next: whatGoesOn(store.job(jobId)?.runId, store.name),
  }))
  if (options.json) output.document(toJson(found))
  else output.print(linesOf(found, next))
  return 0
}

/** @param next - What goes on with a job that no process works on. */
function linesOf(found: JobExplanation, next: string): Line[] {
  const { jobId, state, attempts, isInterrupted, waitsFor, queue, wants, deadlineAt, causes } = found
  const lines: Line[] = [
    [styled('bold', clean(jobId)), `  ${state}`, styled('dim', `  ${plural(attempts, 'attempt')}`)],
  ]
  if (isInterrupted) lines.push([`  no process works on it: ${clean(next)} goes on with it`])
  if (causes.length > 0) lines.push([`  ${[...chainOf(causes)].map((link) => clean(link)).join(' ← ')}`])
  lines.push(...listed(waitsFor, ({ jobId: id, status }) => `waits for ${clean(id)}, which is ${status}`))
  if (queue !== undefined) {
    lines.push([`  is number ${queue.place} of ${queue.of} that want a slot`])
    lines.push(...listed(queue.slots, (id) => `${clean(id)} holds one`))
  }
  for (const want of wants) {
    lines.push([`  ${clean(textOf(want))}`])
    lines.push(...listed(want.holders, ({ jobId: id, held }) => `${clean(id)} holds ${held} of it`))
  }
  if (deadlineAt !== undefined) lines.push([`  until ${new Date(deadlineAt).toISOString()} at the latest`])
  return lines
}

const whatGoesOn = (runId: string | undefined, store: string): string =>
  runId === undefined ? 'the next pool on its store' : `\`${resumeCommand(runId, store)}\``

/** A line each for the first of many. */
function listed<Item>(items: readonly Item[], tell: (item: Item) => string): Line[] {
  const lines = items.slice(0, LISTED_MAX).map((item): Line => [`  ${tell(item)}`])
  const more = items.length - lines.length
  return more > 0 ? [...lines, [styled('dim', `  and ${more} more, which --json names`)]] : lines
}

const textOf = ({ resource, demanded }: Want): string => `wants ${demanded} of ${resource}`

/** Such as `cancelled ← qc-3 failed attempt 3 ← ECONNRESET`. */
function* chainOf(causes: readonly Cause[]): Generator<string> {
  for (const [index, { jobId, status, attempts, reason, reusedFrom, error }] of causes.entries()) {
    const name = index === 0 ? '' : `${jobId} `
    const how = status === 'failed' ? `failed attempt ${attempts}` : status
    const from = reusedFrom === undefined ? '' : `, reused from ${reusedFrom}`
    const isLast = index === causes.length - 1
    yield `${name}${how}${from}${status === 'cancelled' && isLast ? ` (${reason})` : ''}`
    if (error !== undefined) yield* errorsOf(error)
  }
}

function* errorsOf({ code, message, cause }: Error & { readonly code?: unknown }): Generator<string> {
  yield code !== undefined && !message.includes(String(code)) ? `${code}: ${message}` : message
  if (cause instanceof Error) yield* errorsOf(cause)
}
