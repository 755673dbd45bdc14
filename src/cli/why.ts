import {
  type ErrorJson,
  EspalierError,
  type JobRecord,
  type JobUsage,
  PRIORITIES,
  type RunStore,
} from '../index.ts'
import { type Line, styled } from './line.ts'
import type { Output } from './output.ts'
import type { LookOptions } from './runs.ts'
import { withReader } from './store.ts'
import { clean } from './text.ts'

/** Why a stored job is where it is. */
export interface Explanation {
  readonly jobId: string
  readonly state: string
  readonly attempts: number
  /** Of a job that waits: the dependencies that have not completed. */
  readonly waitsFor: readonly { readonly jobId: string; readonly state: string }[]
  /** Of a ready job: its place among those of its run, from 1, and who holds slots. */
  readonly queue:
    | { readonly place: number; readonly of: number; readonly running: readonly string[] }
    | undefined
  /** Epoch ms. */
  readonly deadlineAt: number | undefined
  /** Of an ended job: its end and what led to it, the nearest cause first, such as `cancelled ← qc-3 failed attempt 3`. */
  readonly causes: readonly string[]
}

/** Tells why a stored job is where it is. @throws {EspalierError} `ESP_UNKNOWN_JOB`. */
export function why(jobId: string, options: LookOptions, output: Output): number {
  const found = withReader(options, (store) => explain(jobId, store))
  if (options.json) output.raw(`${JSON.stringify(found, undefined, 2)}\n`)
  else output.print(linesOf(found))
  return 0
}

function explain(jobId: string, store: RunStore): Explanation {
  const job = store.job(jobId)
  if (job === undefined) throw new EspalierError('ESP_UNKNOWN_JOB', { jobId })
  const { state, attempt, deadlineAt, submitted } = job
  const waitsFor =
    state === 'queued.blocked'
      ? (submitted.dependencies ?? []).flatMap((id) => {
          const needed = store.job(id)
          return needed === undefined || needed.state === 'completed'
            ? []
            : [{ jobId: id, state: needed.state }]
        })
      : []
  const isTimed = state === 'queued.delayed' || state.startsWith('running')
  return {
    jobId,
    state,
    attempts: attempt,
    waitsFor,
    queue: state === 'queued.ready' ? placeOf(job, store) : undefined,
    deadlineAt: isTimed ? deadlineAt : undefined,
    causes: [...causesOf(job, store)],
  }
}

function placeOf(job: JobRecord, store: RunStore): NonNullable<Explanation['queue']> {
  const open = [...store.jobs(job.runId, { isOpen: true })]
  const ready = open.filter(({ state }) => state === 'queued.ready').sort(inOrder)
  const running = open.filter(({ state }) => state.startsWith('running')).map(({ id }) => id)
  return { place: ready.findIndex(({ id }) => id === job.id) + 1, of: ready.length, running }
}

/** As the ready queue has them: by priority, then score, then order of submission. */
function inOrder(a: JobRecord, b: JobRecord): number {
  const bandOf = ({ submitted }: JobRecord) => PRIORITIES.indexOf(submitted.priority ?? 'normal')
  const scoreOf = ({ submitted }: JobRecord) => submitted.score ?? 0
  return bandOf(a) - bandOf(b) || scoreOf(b) - scoreOf(a) || a.key - b.key
}

function* causesOf(job: JobRecord, store: RunStore): Generator<string> {
  const seen = new Set<string>()
  let next: JobRecord | undefined = job
  while (next?.end !== undefined && !seen.has(next.id)) {
    const { id, state, attempt, end }: JobRecord = next
    seen.add(id)
    const name = next === job ? '' : `${id} `
    const how = state === 'failed' ? `failed attempt ${attempt}` : state
    const { reusedFrom } = (end?.usage === undefined ? {} : JSON.parse(end.usage)) as JobUsage
    const from = reusedFrom === undefined ? '' : `, reused from ${reusedFrom}`
    const by = state === 'cancelled' && end?.causedBy === undefined ? ` (${end?.reason})` : ''
    yield `${name}${how}${from}${by}`
    if (end?.error !== undefined) yield* errorsOf(JSON.parse(end.error))
    next = end?.causedBy === undefined ? undefined : store.job(end.causedBy)
  }
}

function* errorsOf({ code, message, cause }: ErrorJson): Generator<string> {
  yield code !== undefined && !message.includes(String(code)) ? `${code}: ${message}` : message
  if (cause !== undefined && 'message' in cause) yield* errorsOf(cause)
}

function linesOf({ jobId, state, attempts, waitsFor, queue, deadlineAt, causes }: Explanation): Line[] {
  const lines: Line[] = [
    [styled('bold', clean(jobId)), `  ${state}`, styled('dim', `  ${attempts} attempts`)],
  ]
  if (causes.length > 0) lines.push([`  ${causes.map((cause) => clean(cause)).join(' ← ')}`])
  for (const needed of waitsFor) lines.push([`  waits for ${clean(needed.jobId)}, which is ${needed.state}`])
  if (queue !== undefined) {
    lines.push([`  is number ${queue.place} of ${queue.of} that want a slot`])
    for (const id of queue.running) lines.push([`  ${clean(id)} holds one`])
  }
  if (deadlineAt !== undefined) lines.push([`  until ${new Date(deadlineAt).toISOString()} at the latest`])
  return lines
}
