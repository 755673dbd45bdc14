import type { Closure, Execute, MachineBody } from '../domain/job.ts'
import type { Attempt, AttemptSink, Executor, ExecutorSupports } from '../ports/executor.ts'
import { Guardian, type GuardianListener } from '../statechart/index.ts'
import { refusesUnknown } from './known-fields.ts'
import { reportStopped } from './stopped.ts'

const WANTED = '{ logic, input? } with an XState actor logic, such as a machine or fromPromise(…), as `logic`'
const FIELDS = ['logic', 'input'] as const satisfies readonly (keyof MachineBody)[]

/**
 * Makes an executor whose attempts are XState actors: any actor logic, in the pool's system, below its job's own actor.
 *
 * They run in this process, on its one thread. One that is to end is stopped at once; what a promise of it still does
 * then is nobody's to end.
 */
export function createMachineExecutor(): Executor {
  return new MachineExecutor()
}

class MachineExecutor implements Executor {
  readonly name = 'machine'
  readonly supports: ExecutorSupports = { context: true, events: true }
  readonly #runs = new Map<Attempt, MachineRun>()

  refuses(execute: Execute): string | undefined {
    if (typeof execute !== 'object' || execute === null) return WANTED
    const { logic } = execute as Partial<MachineBody>
    const isLogic = typeof logic?.transition === 'function' && typeof logic.getInitialSnapshot === 'function'
    return isLogic ? refusesUnknown(WANTED, execute, FIELDS) : WANTED
  }

  start(attempt: Attempt, sink: AttemptSink): void {
    let input: unknown
    try {
      input = inputOf(attempt)
    } catch (thrown) {
      sink.failed(attempt, thrown)
      return
    }
    const run = new MachineRun(attempt, sink, input, () => this.#runs.delete(attempt))
    this.#runs.set(attempt, run)
    run.begin()
  }

  stop(attempt: Attempt): void {
    this.#runs.get(attempt)?.stop()
  }

  deliver(attempt: Attempt, event: object): boolean {
    return this.#runs.get(attempt)?.deliver(event) ?? false
  }

  body(attempt: Attempt): unknown {
    return this.#runs.get(attempt)?.actor
  }

  async close(): Promise<void> {
    for (const run of [...this.#runs.values()]) run.stop()
  }
}

type GuardianArguments = ConstructorParameters<typeof Guardian>

/** One attempt: an actor, and who listens to it. */
class MachineRun implements GuardianListener {
  readonly #attempt: Attempt
  readonly #sink: AttemptSink
  readonly #guardian: Guardian
  readonly #forget: () => void
  #hasEnded = false

  constructor(attempt: Attempt, sink: AttemptSink, input: unknown, forget: () => void) {
    this.#attempt = attempt
    this.#sink = sink
    this.#forget = forget
    const { logic } = attempt.execute as MachineBody
    const ids = { guardian: `attempt ${attempt.attempt}`, ward: 'body' }
    this.#guardian = new Guardian(
      attempt.actor as GuardianArguments[0],
      ids,
      logic as unknown as GuardianArguments[2],
      input,
      this,
    )
  }

  get actor(): unknown {
    return this.#guardian.ward
  }

  begin(): void {
    this.#guardian.ward.start()
  }

  stop(): void {
    this.#end(() => reportStopped(this.#attempt, this.#sink))
  }

  deliver(event: object): boolean {
    this.#guardian.ward.send(event as Parameters<Guardian['ward']['send']>[0])
    return true
  }

  done(output: unknown): void {
    this.#end(() => this.#sink.completed(this.#attempt, output))
  }

  failed(error: unknown): void {
    this.#end(() => this.#sink.failed(this.#attempt, error))
  }

  /** What the body says to its job, whatever that is; other events to its parent reach nobody. */
  told(event: { readonly type: string; readonly [field: string]: unknown }): void {
    switch (event.type) {
      case 'job.complete':
        this.done(event.value)
        return
      case 'job.fail':
        this.failed(event.error)
        return
      case 'job.progress':
        this.#attempt.progress(event.fraction as number, event.note as string | undefined)
        return
      case 'job.log':
        this.#attempt.log(event.line as string)
    }
  }

  #end(report: () => void): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#forget()
    this.#guardian.end()
    report()
  }
}

/** A function is called as a handler is, and answers the input; without any, the job's first argument is it. */
function inputOf(attempt: Attempt): unknown {
  const { input } = attempt.execute as MachineBody
  if (typeof input === 'function') return (input as Closure)(...attempt.args, attempt)
  return input === undefined ? attempt.args[0] : input
}
