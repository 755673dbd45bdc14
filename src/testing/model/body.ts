import type { Closure, JobId } from '../../domain/job.ts'
import type { NodeId } from '../../domain/node-spec.ts'
import { isThenable, toError } from '../../domain/thrown.ts'
import type { Attempt, AttemptSink } from '../../ports/executor.ts'
import type { Behaviour, Outcome } from './outcomes.ts'

export const keyOfAttempt = (job: JobId, attempt: number): string => `${job}#${attempt}`

/** The body of one attempt, which ends when the world says so. */
export class Body {
  readonly key: string
  readonly job: JobId
  readonly node: NodeId | undefined
  readonly handler: string
  readonly attempt: number
  readonly startedAt: number
  /** The ways it may end by itself; filled once a function that stands for it has returned. */
  outcomes: readonly Outcome[] = []
  /** Whether its executor was asked to end it. */
  isStopped = false
  readonly #attempt: Attempt
  readonly #sink: AttemptSink
  #report: (() => void) | undefined

  constructor(attempt: Attempt, sink: AttemptSink, handler: string, startedAt: number) {
    this.key = keyOfAttempt(attempt.jobId, attempt.attempt)
    this.job = attempt.jobId
    this.node = attempt.nodeId
    this.handler = handler
    this.attempt = attempt.attempt
    this.startedAt = startedAt
    this.#attempt = attempt
    this.#sink = sink
  }

  get input(): unknown {
    return this.#attempt.args[0]
  }

  get signal(): AbortSignal {
    return this.#attempt.signal
  }

  /** Works out how it may end. @returns A promise when a function has to be waited for. */
  begin(behaviour: Behaviour): Promise<void> | undefined {
    if ('outcomes' in behaviour) {
      this.outcomes = behaviour.outcomes
      return undefined
    }
    const settle = (outcome: Outcome) => {
      this.outcomes = [outcome]
    }
    try {
      const returned = call(behaviour.call, this.#attempt)
      if (isThenable(returned)) {
        const threw = (thrown: unknown) => settle({ throws: toError(thrown) })
        return Promise.resolve(returned).then((returns) => settle({ returns }), threw)
      }
      settle({ returns: returned })
    } catch (thrown) {
      settle({ throws: toError(thrown) })
    }
    return undefined
  }

  /** Ends as one of its outcomes. */
  end(as: number): void {
    const outcome = this.outcomes[as]
    if (outcome === undefined) throw new Error(`Expected outcome ${as} of ${this.key}, but it has none.`)
    if ('returns' in outcome) this.#end(() => this.#sink.completed(this.#attempt, outcome.returns))
    else this.fail(errorOf(outcome.throws))
  }

  fail(error: Error): void {
    this.#end(() => this.#sink.failed(this.#attempt, error))
  }

  /** Ends as it was asked to. */
  obey(): void {
    this.fail(toError(this.signal.reason))
  }

  lose(): void {
    this.#end(() => this.#sink.lost(this.#attempt))
  }

  reject(): void {
    const error = new Error('Simulated: the executor cannot carry this attempt.')
    this.#end(() => this.#sink.rejected(this.#attempt, error))
  }

  /** Reports its end once more, and that it completed too. */
  repeat(): void {
    this.#report?.()
    this.#sink.completed(this.#attempt, 'a late result')
  }

  #end(report: () => void): void {
    this.#report = report
    report()
  }
}

const errorOf = (thrown: string | Error): Error => (typeof thrown === 'string' ? new Error(thrown) : thrown)

function call(closure: Closure, attempt: Attempt): unknown {
  return closure(...attempt.args, attempt)
}
