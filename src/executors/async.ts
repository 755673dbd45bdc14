import type { Closure } from '../domain/job.ts'
import { isThenable } from '../domain/thrown.ts'
import type { Attempt, AttemptSink, Executor } from '../ports/executor.ts'

/**
 * Runs closures in this process, on its one thread.
 *
 * It cannot end a closure by force: one that ignores its `signal` goes on after `killGraceMs` as a zombie.
 */
export const asyncExecutor: Executor = {
  name: 'async',
  supports: { closures: true, carries: 'references', context: true },
  refuses: (execute) => (typeof execute === 'function' ? undefined : 'a function'),
  start(attempt, sink) {
    let returned: unknown
    try {
      returned = call(attempt.execute as Closure, attempt)
      if (isThenable(returned)) {
        settleWith(returned, attempt, sink)
        return
      }
    } catch (thrown) {
      sink.failed(attempt, thrown)
      return
    }
    sink.completed(attempt, returned)
  },
}

function call(closure: Closure, attempt: Attempt): unknown {
  const { args } = attempt
  if (args.length === 0) return closure(attempt)
  if (args.length === 1) return closure(args[0], attempt)
  return closure(...args, attempt)
}

/** A foreign thenable may call back twice, or throw; only the first word counts. */
function settleWith(promise: PromiseLike<unknown>, attempt: Attempt, sink: AttemptSink): void {
  const trusted = promise instanceof Promise ? promise : Promise.resolve(promise)
  const waiter = idleWaiters.pop() ?? new Waiter()
  waiter.await(trusted, attempt, sink)
}

const idleWaiters: Waiter[] = []

/** Waits for one promise after the other: two functions for each would be garbage after a single call. */
class Waiter {
  #attempt: Attempt | undefined
  #sink: AttemptSink | undefined
  readonly #completed = (value: unknown) => {
    const attempt = this.#attempt as Attempt
    this.#end().completed(attempt, value)
  }
  readonly #failed = (thrown: unknown) => {
    const attempt = this.#attempt as Attempt
    this.#end().failed(attempt, thrown)
  }

  await(promise: Promise<unknown>, attempt: Attempt, sink: AttemptSink): void {
    this.#attempt = attempt
    this.#sink = sink
    promise.then(this.#completed, this.#failed)
  }

  #end(): AttemptSink {
    const sink = this.#sink as AttemptSink
    this.#attempt = undefined
    this.#sink = undefined
    idleWaiters.push(this)
    return sink
  }
}
