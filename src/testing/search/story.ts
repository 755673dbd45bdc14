import type { JournalEntry } from '../model/journal.ts'
import type { Deed, Step } from '../model/step.ts'
import type { Subject, WorldOptions } from '../model/subject.ts'
import type { Violation } from '../model/world-view.ts'
import type { Counterexample } from './counterexample.ts'
import { type ReplayReport, replay } from './replay.ts'

/** One thing that happened, and what followed from it, in words. */
export interface Scene {
  /** In ms since the world began; absent before the first step. */
  readonly at: number | undefined
  readonly deed: string
  readonly consequences: readonly string[]
}

/** A counterexample as people read it. */
export interface Story {
  readonly scenes: readonly Scene[]
  readonly violation: Violation | undefined
  /** The scenes as numbered lines of text. */
  readonly text: string
  /** The scenes as a Mermaid `sequenceDiagram`. */
  readonly mermaid: string
}

/** Tells the run of a counterexample: repeats it, and puts what is done and what follows into words. */
export async function tell(
  subject: Subject,
  counterexample: Counterexample,
  options: Pick<WorldOptions, 'handlers' | 'invariants'> = {},
): Promise<Story> {
  const report = await replay(subject, counterexample, options)
  const names = namesOf(report)
  const acts = actsOf(report.journal)
  const scenes = acts.map(({ step, entries }) => ({
    at: step?.at,
    deed: step === undefined ? 'the start' : sentenceOf(step, names),
    consequences: entries.flatMap((entry) => consequenceOf(entry, step, names) ?? []),
  }))
  const { violation } = report
  return { scenes, violation, text: textOf(scenes, violation), mermaid: diagramOf(acts, names, violation) }
}

type Names = (id: unknown) => string

/** Jobs are called by their node's key, or else its id and handler. */
function namesOf({ world }: ReplayReport): Names {
  const names = new Map<unknown, string>()
  for (const { id, nodeId, handler } of world.jobs) {
    const node = nodeId === undefined ? undefined : world.node(nodeId)
    const name = node === undefined ? id : (node.key ?? `${node.id} ${handler}`)
    names.set(id, name)
    if (nodeId !== undefined) names.set(nodeId, name)
  }
  return (id) => names.get(id) ?? String(id)
}

interface Act {
  readonly step: Step | undefined
  readonly entries: readonly JournalEntry[]
}

/** What was told, by the step it followed from. */
function actsOf(journal: readonly JournalEntry[]): Act[] {
  const acts: { step: Step | undefined; entries: JournalEntry[] }[] = [{ step: undefined, entries: [] }]
  for (const entry of journal) {
    if (entry.type === 'step') acts.push({ step: entry.step as Step, entries: [] })
    else acts.at(-1)?.entries.push(entry)
  }
  return acts
}

const attemptOf = (attempt: unknown): string => (attempt === 1 ? '' : `, attempt ${attempt}`)

function sentenceOf(step: Deed, names: Names): string {
  switch (step.do) {
    case 'end':
      return `${names(step.job)} ends${attemptOf(step.attempt)}${step.as === 0 ? '' : ` as outcome ${step.as + 1}`}`
    case 'obey':
      return `${names(step.job)} ends, as it was asked to${attemptOf(step.attempt)}`
    case 'fail':
      return `${names(step.job)} throws${attemptOf(step.attempt)}`
    case 'lose':
      return `what ran ${names(step.job)} goes away${attemptOf(step.attempt)}`
    case 'reject':
      return `the executor rejects ${names(step.job)}${attemptOf(step.attempt)}`
    case 'repeat':
      return `the end of ${names(step.job)} is reported again${attemptOf(step.attempt)}`
    case 'decide':
      return `expand answers about ${names(step.node)}`
    case 'wait':
      return 'time passes, until a deadline'
    case 'cancel':
      return step.job === undefined ? 'the run is cancelled' : `${names(step.job)} is cancelled`
    case 'pause':
      return 'the pool is paused'
    case 'resume':
      return 'the pool is resumed'
    case 'limit':
      return step.isLowered ? 'the pool may run one at a time' : 'the pool may run as many as before'
    case 'pressure':
      return step.isRaised ? 'the machine comes under pressure' : 'the pressure is over'
    case 'shutdown':
      return step.wait ? 'the pool is shut down' : 'the pool is shut down at once'
    case 'crash': {
      if (step.commit === undefined) return 'the process dies, and another takes up what is stored'
      return `the process will die at commit ${step.commit} from now, ${step.isRecorded ? 'once it is recorded' : 'before it is recorded'}`
    }
    case 'refuse':
      if (step.commit !== undefined) return `the store will refuse commit ${step.commit} from now`
      return step.isFull ? 'the store refuses to commit' : 'the store takes commits again'
    case 'stall':
      return `the process stands still for ${step.ms} ms`
  }
}

/** What an entry says, unless it says no more than the step did. */
function consequenceOf(entry: JournalEntry, step: Step | undefined, names: Names): string | undefined {
  const name = names(entry.job ?? entry.node)
  const isOfStep = step !== undefined && 'job' in step && step.job === entry.job
  switch (entry.type) {
    case 'node.added':
      return `${name} grows${entry.parent === undefined ? '' : ` below ${names(entry.parent)}`}`
    case 'job.started':
      return `${name} starts${attemptOf(entry.attempt)}`
    case 'job.completed':
      return isOfStep ? undefined : `${name} completes`
    case 'job.failed':
      return `${name} has failed: ${entry.error ?? entry.reason}`
    case 'job.cancelled':
      return isOfStep && step.do === 'cancel' ? undefined : `${name} is cancelled (${entry.reason})`
    case 'job.retrying':
      return `${name} will be tried again`
    case 'job.zombie':
      return `${name} ignores its signal, and runs on`
    case 'node.decided':
      return entry.decision === 'stop' && entry.error === undefined
        ? undefined
        : `expand about ${name}: ${entry.decision}${entry.error === undefined ? '' : ` (${entry.error})`}`
    case 'run.ended':
      return `the run ends: ${entry.status}, ${entry.reason}`
    case 'pool.closed':
      return 'the pool is closed'
    default:
      return undefined
  }
}

function textOf(scenes: readonly Scene[], violation: Violation | undefined): string {
  const lines = scenes.map(({ at, deed, consequences }, index) => {
    const time = at === undefined ? '' : `${at.toFixed(at < 100 ? 1 : 0)} ms`
    const number = index === 0 ? '' : `${index}.`
    const followed = consequences.length === 0 ? '' : ` → ${consequences.join('; ')}`
    return `${number.padStart(4)} ${time.padStart(10)}  ${deed}${followed}`
  })
  const end =
    violation === undefined ? '  ✓ No promise is broken.' : `  ✗ ${violation.invariant}: ${violation.message}`
  return `${[...lines, end].join('\n')}\n`
}

/** Characters that Mermaid reads as its own, as entities. */
const entities = (text: string): string => text.replace(/[#;<>{}"]/g, (char) => `#${char.charCodeAt(0)};`)

function diagramOf(acts: readonly Act[], names: Names, violation: Violation | undefined): string {
  const participants = new Map<string, string>()
  const idOf = (name: string): string => {
    const id = participants.get(name) ?? `p${participants.size}`
    participants.set(name, id)
    return id
  }
  const world = idOf('world')
  const pool = idOf('pool')
  const lines: string[] = []
  const arrow = (from: string, to: string, text: string, line = '->>') =>
    lines.push(`  ${from}${line}${to}: ${entities(text)}`)
  for (const { step, entries } of acts) {
    if (step !== undefined) {
      const subject = 'job' in step && step.job !== undefined ? idOf(names(step.job)) : pool
      arrow(world, subject, sentenceOf(step, names))
    }
    for (const entry of entries) {
      const text = consequenceOf(entry, undefined, names)
      if (text === undefined || entry.type === 'node.added') continue
      if (entry.job === undefined) {
        lines.push(`  Note over ${pool}: ${entities(text)}`)
        continue
      }
      const job = idOf(names(entry.job))
      const isOrder = entry.type === 'job.started'
      if (isOrder) arrow(pool, job, text)
      else arrow(job, pool, text, '-->>')
    }
  }
  if (violation !== undefined)
    lines.push(`  Note over ${world},${pool}: ✗ ${entities(`${violation.invariant}: ${violation.message}`)}`)
  const heads = Array.from(participants, ([name, id]) => `  participant ${id} as ${entities(name)}`)
  return `${['sequenceDiagram', ...heads, ...lines].join('\n')}\n`
}
