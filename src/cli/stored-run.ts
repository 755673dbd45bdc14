import { isDeepStrictEqual } from 'node:util'
import { storedJson } from '../domain/stored-json.ts'
import type { ForkPoint, RunRecord, RunStore, Workflow } from '../index.ts'
import { clean } from './text.ts'
import { UsageError } from './usage-error.ts'

/** What a command asks for of a run that may be in its store already. */
export interface Asked {
  readonly fork?: ForkPoint
  readonly input: unknown
  /** Whether the user has given that input. */
  readonly hasInput?: boolean
}

/**
 * Makes sure that a run which is there already is the one that a command would have begun.
 *
 * @throws {UsageError} When it was forked at another point, or had another input.
 */
export async function requireSame(run: RunRecord, workflow: Workflow, asked: Asked): Promise<void> {
  const { fork, input, hasInput } = asked
  if (fork !== undefined) requirePoint(run, fork)
  if (hasInput) await requireInput(run, workflow, input)
}

function requirePoint({ id, forkedFrom }: RunRecord, { runId, at }: ForkPoint): void {
  const wanted = `${runId}@${at}`
  if (forkedFrom === wanted) return
  const was = forkedFrom === undefined ? 'is there and no fork' : `was forked from ${clean(forkedFrom)}`
  throw new UsageError(
    `--run-id names run "${clean(id)}", which ${was}, but a fork from ${wanted} was asked for. Name another id, or none.`,
  )
}

/** The store has the input as the workflow's schema has made it. */
async function requireInput(run: RunRecord, workflow: Workflow, given: unknown): Promise<void> {
  const stored = storedJson(run.input, 'input', 'run', run.id)
  const checked = await workflow.input?.['~standard'].validate(given)
  const input = checked !== undefined && 'value' in checked ? checked.value : given
  if (isDeepStrictEqual(JSON.parse(JSON.stringify(input ?? null)), stored ?? null)) return
  throw new UsageError(
    `Run "${clean(run.id)}" is there already and had another input: ${clean(run.input ?? 'none')}. ` +
      'Leave --input out to have that run, or choose another --run-id.',
  )
}

/**
 * Makes sure that a run is one of the workflow.
 *
 * @param source - The module that the workflow is from. @param advice - What to do when it is not.
 * @throws {UsageError}
 */
export function requireWorkflow(run: RunRecord, { name }: Workflow, source: string, advice: string): void {
  if (run.workflow === name) return
  throw new UsageError(
    `Run "${clean(run.id)}" is one of the workflow "${clean(run.workflow)}", but the workflow in ${source} is named ` +
      `"${clean(name)}". ${advice}`,
  )
}

/** A point with its event; by default the run's own last, whatever pools have come and gone since. */
export function exactPoint(store: RunStore, { runId, at }: ForkPoint): Required<ForkPoint> {
  if (at !== undefined) return { runId, at }
  const own = Array.from(store.trace({ runId })).findLast(({ actor }) => actor !== 'pool')
  return { runId, at: own?.seq ?? 0 }
}
