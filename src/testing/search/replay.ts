import { checkObject } from '../../domain/check.ts'
import { EspalierError } from '../../domain/errors.ts'
import { present } from '../../domain/present.ts'
import type { TraceEntry } from '../../domain/trace.ts'
import type { JournalEntry } from '../model/journal.ts'
import { SeededRandom } from '../model/random.ts'
import type { Step } from '../model/step.ts'
import type { Subject, WorldOptions } from '../model/subject.ts'
import type { Violation } from '../model/world-view.ts'
import { STANDING_STILL, type WorldDriver } from '../world/inner-world.ts'
import { World } from '../world/world.ts'
import { COUNTEREXAMPLE_FORMAT, type Counterexample } from './counterexample.ts'

export interface ReplayReport {
  /** The promise that was broken; absent when none is any more. */
  readonly violation: Violation | undefined
  readonly journal: readonly JournalEntry[]
  /** The steps that could not be done again, since the run went another way. */
  readonly skipped: readonly Step[]
  /** The world after the last step. */
  readonly world: World
}

/**
 * Does the run of a counterexample again, on the real runtime.
 *
 * @param options - What the counterexample could not carry: functions as handlers, invariants.
 * @throws {EspalierError} `ESP_INVALID_OPTION` for what is no counterexample.
 */
export async function replay(
  subject: Subject,
  counterexample: Counterexample,
  options: Pick<WorldOptions, 'handlers' | 'invariants'> = {},
): Promise<ReplayReport> {
  checkCounterexample(counterexample)
  const { input, pool, handlers, isDurable, seed, steps } = counterexample
  const settings = { ...present({ input, pool, handlers, isDurable }), ...options }
  const world = new World(subject, settings, driverOf(seed))
  const journal: JournalEntry[] = []
  world.journal = journal
  const skipped: Step[] = []
  await world.start()
  world.check()
  for (const step of steps) {
    if (world.violation !== undefined || world.isSpinning) break
    journal.push({ at: step.at, type: 'step', step })
    if (!(await world.redo(step))) skipped.push(step)
    world.check()
  }
  if (world.isAtRest) world.checkEnd()
  return { violation: world.violation, journal, skipped, world }
}

/**
 * Does the run of a counterexample again with a store, and tells what that has recorded: what the inspector shows.
 *
 * @returns One entry for each step of a chart, and for each decision.
 * @throws {EspalierError} `ESP_INVALID_OPTION` for what is no counterexample.
 */
export async function traceOf(
  subject: Subject,
  counterexample: Counterexample,
  options: Pick<WorldOptions, 'handlers' | 'invariants'> = {},
): Promise<readonly TraceEntry[]> {
  const { world } = await replay(subject, { ...counterexample, isDurable: true }, options)
  return world.disk?.trace() ?? []
}

/** The steps say what happens; the runtime draws what it has drawn. */
function driverOf(seed: number | undefined): WorldDriver {
  if (seed === undefined) return STANDING_STILL
  const random = new SeededRandom(~seed)
  return { ...STANDING_STILL, random: () => random.next() }
}

function checkCounterexample(counterexample: Counterexample): void {
  const { format, steps } = checkObject('counterexample', counterexample)
  if (format === COUNTEREXAMPLE_FORMAT && Array.isArray(steps)) return
  throw new EspalierError('ESP_INVALID_OPTION', {
    option: 'counterexample',
    expected: `a counterexample of format ${COUNTEREXAMPLE_FORMAT}`,
    got: format,
    todo: 'Pass the JSON that explore, simulate or `espalier check` gave.',
  })
}
