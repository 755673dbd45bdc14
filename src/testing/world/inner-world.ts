import type { NodeId } from '../../domain/node-spec.ts'
import type { RunOutcome } from '../../domain/workflow.ts'
import type { Body } from '../model/body.ts'
import type { JournalEntry } from '../model/journal.ts'
import type { OpenQuestion } from '../model/question.ts'
import type { Deed } from '../model/step.ts'
import type { Subject } from '../model/subject.ts'
import type { WatchedWorld } from '../model/world-view.ts'
import type { SimulatedHost } from './surroundings.ts'
import type { Turns } from './turns.ts'
import type { WorldClock } from './world-clock.ts'

/** What drives a world, and wants to hear of what can be done next. */
export interface WorldDriver {
  /** Decides the jitter of backoffs, and of equal instants which goes first. */
  random(): number
  tie(): number
  began(body: Body): void
  stopped(body: Body): void
  asked(question: OpenQuestion): void
}

/** Drives nothing: whoever looks at the world says himself what happens next. Chance is always the middle. */
export const STANDING_STILL: WorldDriver = {
  random: () => 0.5,
  tie: () => 0,
  began() {},
  stopped() {},
  asked() {},
}

/** A world as its own parts see it, which change it. */
export interface InnerWorld extends WatchedWorld {
  readonly subject: Subject
  readonly driver: WorldDriver
  readonly clock: WorldClock
  readonly turns: Turns
  readonly host: SimulatedHost
  /** Whether the pool looks at its machine itself, and finds pressure late. */
  readonly watchesHost: boolean
  readonly bodies: Map<string, Body>
  readonly endedBodies: Map<string, Body>
  readonly questions: Map<NodeId, OpenQuestion>
  /** What the pool was made for. */
  readonly maxParallelJobs: number
  /** Whether the workflow looks at results. */
  readonly hasExpand: boolean
  readonly journal: JournalEntry[] | undefined
  outcome: RunOutcome | undefined
  /** Lets the process die, now or at a commit to come. */
  crash(deed: Extract<Deed, { do: 'crash' }>): boolean
  /** Lets the store refuse commits, or take them again. */
  refuse(deed: Extract<Deed, { do: 'refuse' }>): boolean
}
