import type { ModuleHandler } from '../../domain/job.ts'
import type { Attempt, AttemptSink, Executor } from '../../ports/executor.ts'
import { atStop } from '../invariants/invariants.ts'
import { atStart } from '../invariants/start-invariants.ts'
import { Body, keyOfAttempt } from '../model/body.ts'
import type { Behaviour } from '../model/outcomes.ts'
import type { InnerWorld } from './inner-world.ts'
import { EVERYTHING } from './surroundings.ts'

/** An executor whose attempts are bodies of a world, which end when that says so. */
export class SimulatedExecutor implements Executor {
  readonly name: string
  readonly supports = EVERYTHING
  readonly #world: InnerWorld
  readonly #behaviours: ReadonlyMap<string, Behaviour>
  readonly #isAlive: () => boolean

  /** @param isAlive - Whether the process goes on that it belongs to. */
  constructor(
    name: string,
    world: InnerWorld,
    behaviours: ReadonlyMap<string, Behaviour>,
    isAlive: () => boolean,
  ) {
    this.name = name
    this.#world = world
    this.#behaviours = behaviours
    this.#isAlive = isAlive
  }

  refuses(): undefined {
    return undefined
  }

  start(attempt: Attempt, sink: AttemptSink): void {
    if (!this.#isAlive()) return
    const world = this.#world
    const handler = (attempt.execute as ModuleHandler).export as string
    const body = new Body(attempt, sink, handler, world.now)
    world.bodies.set(body.key, body)
    const row = world.rows.all.get(body.job)
    if (row !== undefined) {
      row.starts++
      atStart(world, row, body)
      row.lastAttempt = body.attempt
    }
    const pending = body.begin(this.#behaviours.get(handler) as Behaviour)
    if (pending === undefined) world.driver.began(body)
    else void world.turns.whileBusy(pending).then(() => world.driver.began(body))
  }

  stop({ jobId, attempt }: Attempt): void {
    const world = this.#world
    const body = world.bodies.get(keyOfAttempt(jobId, attempt))
    if (!this.#isAlive() || body === undefined || body.isStopped) return
    body.isStopped = true
    const row = world.rows.all.get(body.job)
    if (row !== undefined) atStop(world, row, body)
    world.driver.stopped(body)
  }
}
