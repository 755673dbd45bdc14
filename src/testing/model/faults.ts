import { checkKeys } from '../../domain/check.ts'
import { EspalierError } from '../../domain/errors.ts'
import type { Body } from './body.ts'
import type { SeededRandom } from './random.ts'
import type { Deed } from './step.ts'

/** What may go wrong with an attempt. */
const ATTEMPT_FAULTS = {
  /** Its handler throws. */
  fail: true,
  /** It goes on until it is asked to end. */
  timeout: true,
  /** What ran it goes away. */
  lost: true,
  /** Its executor cannot carry it. */
  rejected: true,
  /** Asked to end, it goes on for longer than `killGraceMs`. */
  deaf: true,
  /** It goes on beyond its timeout and its grace, and then completes. */
  late: true,
  /** Its end is reported twice. */
  duplicate: true,
} as const

/** What may happen to the whole, at any time. */
const WORLD_FAULTS = {
  /** The run is cancelled; with `on`, only that node or job. In a set of jobs without `on`: any one of them. */
  cancel: true,
  /** The pool is paused, for `ms`. */
  pause: true,
  /** The process stands still for `ms`: all that was due meanwhile comes late, at once. */
  stall: true,
  /** The process dies, at a commit or between two, and another takes up what is stored. */
  crash: true,
  /** The store refuses to commit, for `ms` or a single time. */
  refuse: true,
  /** The pool is shut down, and waits for its jobs. */
  shutdown: true,
  /** The pool is shut down, and all its jobs are cancelled. */
  halt: true,
  /** The machine is under pressure, for `ms`: jobs start one at a time. */
  pressure: true,
  /** The pool may run one job at a time, for `ms`. */
  limit: true,
} as const

export type AttemptFault = keyof typeof ATTEMPT_FAULTS
export type WorldFault = keyof typeof WORLD_FAULTS
export type FaultType = AttemptFault | WorldFault

/** A fault as data. A bare name is one without any of the rest. */
export interface Fault {
  readonly type: FaultType
  /** Whom it strikes: the name of a handler, a node's id or key, or a job's id. Default: all. */
  readonly on?: string
  /** The attempt it strikes. Default: any. */
  readonly attempt?: number
  /** How likely it is, from 0 to 1. Default: 1 when `on`, `attempt` or `at` is given, else 0.1. */
  readonly chance?: number
  /** When, in ms since the world began. Default: at random within the first second. For what strikes the whole. */
  readonly at?: number
  /** For `crash` and `refuse`: at so many commits from its time. Default: at once, and `refuse` then lasts for `ms`. */
  readonly commit?: number
  /** Whether that commit is recorded. Default `false`. */
  readonly isRecorded?: boolean
  /** How long a pause, a standstill, a refusal, a pressure or a lower limit lasts, in ms. Default 100. */
  readonly ms?: number
}

export const FAULT_TYPES: readonly FaultType[] = [
  ...(Object.keys(ATTEMPT_FAULTS) as AttemptFault[]),
  ...(Object.keys(WORLD_FAULTS) as WorldFault[]),
]

const FAULT_FIELDS: ReadonlySet<string> = new Set([
  ...(['type', 'on', 'attempt', 'chance', 'at', 'commit', 'isRecorded', 'ms'] as const),
] satisfies (keyof Fault)[])

const DEFAULT_CHANCE = 0.1
const DEFAULT_FAULT_MS = 100
const DEFAULT_WITHIN_MS = 1_000

/** @throws {EspalierError} `ESP_UNKNOWN_OPTION`; `ESP_INVALID_OPTION` for a fault that does not exist or has a bad field. */
export function checkFaults(faults: readonly (FaultType | Fault)[]): readonly Fault[] {
  return faults.map((given, index) => {
    const fault = typeof given === 'string' ? { type: given } : given
    const refuse = (field: string, expected: string, got: unknown) =>
      new EspalierError('ESP_INVALID_OPTION', { option: `faults[${index}]${field}`, expected, got })
    if (!FAULT_TYPES.includes(fault?.type)) {
      throw refuse('', `one of ${FAULT_TYPES.join(', ')}, or { type } with one of these`, given)
    }
    checkKeys(`faults[${index}]`, fault, FAULT_FIELDS)
    const { chance, at, ms } = fault
    if (chance !== undefined && !(chance >= 0 && chance <= 1))
      throw refuse('.chance', 'a number from 0 to 1', chance)
    if (at !== undefined && !(at >= 0)) throw refuse('.at', 'a number, 0 or more', at)
    if (ms !== undefined && !(ms >= 0)) throw refuse('.ms', 'a number, 0 or more', ms)
    return fault
  })
}

/** Who an attempt is of. */
export interface Stricken {
  readonly job: string
  readonly node: string | undefined
  readonly key: string | undefined
  readonly handler: string
  readonly attempt: number
}

export const isStricken = (fault: Fault, { job, node, key, handler, attempt }: Stricken): boolean =>
  (fault.on === undefined || [job, node, key, handler].includes(fault.on)) &&
  (fault.attempt === undefined || fault.attempt === attempt)

/** Draws the fault of an attempt; absent when nothing goes wrong. */
export function drawAttemptFault(
  faults: readonly Fault[],
  stricken: Stricken,
  random: SeededRandom,
): AttemptFault | undefined {
  let drawn: AttemptFault | undefined
  for (const fault of faults) {
    if (!(fault.type in ATTEMPT_FAULTS) || !isStricken(fault, stricken)) continue
    // Drawn for each, so that one fault does not change the chances of what comes after.
    if (random.chance(chanceOf(fault))) drawn ??= fault.type as AttemptFault
  }
  return drawn
}

/** Something that happens to the whole, at an instant: `on` names whom. */
export interface PlannedFault {
  readonly at: number
  readonly on: string | undefined
  readonly deeds: readonly { readonly afterMs: number; readonly deed: Deed }[]
}

/** Draws what happens to the whole. */
export function drawWorldFaults(faults: readonly Fault[], random: SeededRandom): readonly PlannedFault[] {
  return faults.flatMap((fault) => {
    if (!(fault.type in WORLD_FAULTS) || !random.chance(chanceOf(fault))) return []
    const at = fault.at ?? random.between(0, DEFAULT_WITHIN_MS)
    return [{ at, on: fault.on, deeds: deedsOf(fault, fault.ms ?? DEFAULT_FAULT_MS) }]
  })
}

function deedsOf({ type, commit, isRecorded }: Fault, ms: number): PlannedFault['deeds'] {
  switch (type as WorldFault) {
    case 'cancel':
      return [{ afterMs: 0, deed: { do: 'cancel' } }]
    case 'pause':
      return [
        { afterMs: 0, deed: { do: 'pause' } },
        { afterMs: ms, deed: { do: 'resume' } },
      ]
    case 'stall':
      return [{ afterMs: 0, deed: { do: 'stall', ms } }]
    case 'crash': {
      const deed =
        commit === undefined
          ? { do: 'crash' as const }
          : { do: 'crash' as const, commit, isRecorded: isRecorded === true }
      return [{ afterMs: 0, deed }]
    }
    case 'refuse':
      if (commit !== undefined) return [{ afterMs: 0, deed: { do: 'refuse', isFull: false, commit } }]
      return [
        { afterMs: 0, deed: { do: 'refuse', isFull: true } },
        { afterMs: ms, deed: { do: 'refuse', isFull: false } },
      ]
    case 'shutdown':
      return [{ afterMs: 0, deed: { do: 'shutdown', wait: true } }]
    case 'halt':
      return [{ afterMs: 0, deed: { do: 'shutdown', wait: false } }]
    case 'pressure':
      return [
        { afterMs: 0, deed: { do: 'pressure', isRaised: true } },
        { afterMs: ms, deed: { do: 'pressure', isRaised: false } },
      ]
    case 'limit':
      return [
        { afterMs: 0, deed: { do: 'limit', isLowered: true } },
        { afterMs: ms, deed: { do: 'limit', isLowered: false } },
      ]
  }
}

function chanceOf({ chance, on, attempt, at }: Fault): number {
  const isAimed = on !== undefined || attempt !== undefined || at !== undefined
  return chance ?? (isAimed ? 1 : DEFAULT_CHANCE)
}

/** Who a body's attempt is of. */
export const strickenOf = ({ job, node, handler, attempt }: Body, key: string | undefined): Stricken => ({
  job,
  node,
  key,
  handler,
  attempt,
})

/** Whether processes die, or what they are at is refused: everything must be stored then. */
export const needsStore = (faults: readonly Fault[]): boolean =>
  faults.some(({ type }) => type === 'crash' || type === 'refuse')
