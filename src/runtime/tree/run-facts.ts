import { storedJson, storedObject } from '../../domain/stored-json.ts'
import { errorFromJson } from '../../domain/trace.ts'
import type { RunRecord } from '../../ports/run-store.ts'

/** What of a run is neither in its chart nor in its tree. */
export interface RunFacts {
  /** The validated input. */
  input: unknown
  /** 0 until it has started. */
  startedAt: number
  /** 0 until it has ended. */
  endedAt: number
  /** How many decisions `expand` gave. */
  decisions: number
  /** What `satisfy` was given. */
  value: unknown
  /** Why the run failed. */
  error: Error | undefined
}

/** The facts of a run that has not started. */
export const noFacts = (): RunFacts => ({
  input: undefined,
  startedAt: 0,
  endedAt: 0,
  decisions: 0,
  value: undefined,
  error: undefined,
})

/** The facts of a run as its store has it. */
export function factsOf({ id, input, createdAt, endedAt = 0, decisions, value, error }: RunRecord): RunFacts {
  return {
    input: storedJson(input, 'input', 'run', id),
    startedAt: createdAt,
    endedAt,
    decisions,
    value: storedJson(value, 'value', 'run', id),
    error: error === undefined ? undefined : errorFromJson(storedObject(error, 'error', 'run', id)),
  }
}
