import {
  type ExpandAnswer,
  type ExpandRequest,
  grow,
  type HandlerContext,
  type NodeSpec,
  node,
  PRIORITIES,
  prune,
  revise,
  type Strategy,
  satisfy,
  stop,
  type TreeLimits,
} from 'espalier'
import { expect } from 'vitest'
import { Trial } from './harness.ts'

/** Choices made of numbers; when they are used up, the first of whatever there is to choose. */
export class Choices {
  readonly #numbers: readonly number[]
  #used = 0

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers
  }

  /** A whole number from 0 up to, but without, `end`. */
  below(end: number): number {
    return (this.#numbers[this.#used++] ?? 0) % end
  }

  /** True once in `times`; never when the choices are used up. */
  once(times: number): boolean {
    return this.below(times) === times - 1
  }

  of<Item>(items: readonly [Item, ...Item[]] | readonly Item[]): Item {
    return items[this.below(items.length)] as Item
  }

  some<Item>(upTo: number, make: (index: number) => Item): Item[] {
    return Array.from({ length: this.below(upTo + 1) }, (_, index) => make(index))
  }
}

interface Attempt {
  readonly context: HandlerContext
  end(how: 'complete' | 'fail'): void
}

interface Question {
  readonly request: ExpandRequest
  resolve(answer: ExpandAnswer): void
  reject(error: Error): void
}

/** A run of which everything is chosen: its limits, its tree, and the order in which things end. */
export class RandomRun {
  readonly trial: Trial
  readonly limits: TreeLimits
  readonly maxParallelJobs: number
  readonly failFast: boolean
  /** Whether the test did anything that may cancel the run. */
  hasMeddled = false
  readonly #choices: Choices
  readonly #attempts: Attempt[] = []
  readonly #questions: Question[] = []
  #keys = 0
  #fault: unknown

  constructor(numbers: readonly number[]) {
    const choices = new Choices(numbers)
    this.#choices = choices
    this.maxParallelJobs = 1 + choices.below(4)
    this.failFast = choices.once(4)
    this.limits = {
      maxNodes: 1 + choices.below(20),
      maxChildrenPerNode: 1 + choices.below(4),
      maxDepth: choices.below(5),
      maxRevisions: choices.below(3),
      maxRunMs: choices.once(4) ? 100 : undefined,
      expandTimeoutMs: 50,
      maxParallelExpands: 1 + choices.below(3),
    }
    const { maxRunMs, ...limits } = this.limits
    const roots = [this.#spec([]), ...choices.some(2, () => this.#spec([]))]
    this.trial = new Trial(
      {
        limits: maxRunMs === undefined ? limits : { ...limits, maxRunMs },
        strategy: choices.of<Strategy>(['best-first', 'depth-first', 'breadth-first']),
        onSatisfied: choices.of(['drain', 'cancel']),
        failFast: this.failFast,
        handlers: {
          random: (input: { isStubborn: boolean }, context: HandlerContext) => this.#attempt(input, context),
          value: (_: unknown, context: HandlerContext) => {
            this.#checkStart(context)
            return 'value'
          },
        },
        root: () => roots,
        expand: (request) => this.#expand(request),
      },
      {
        maxParallelJobs: this.maxParallelJobs,
        killGraceMs: 20,
        backoff: { type: 'fixed', delayMs: 10 },
      },
    )
  }

  /** Lets things happen, one at a time, until the run has ended; then what still runs ends too. */
  async toEnd(): Promise<void> {
    const { trial } = this
    await trial.start()
    for (let steps = 0; trial.outcome === undefined; steps++) {
      if (steps > 1_000) throw new Error('The run does not end.')
      this.#step()
      await trial.settle()
      if (this.#fault !== undefined) throw this.#fault
      if (this.#isIdle || this.#choices.once(6)) await trial.clock.advance(this.#choices.of([10, 30, 60]))
    }
    for (const attempt of this.#attempts.splice(0)) attempt.end('complete')
    await trial.clock.advance(100)
    if (this.#fault !== undefined) throw this.#fault
  }

  /** The questions that nobody answered and nobody was told to forget. */
  get forgotten(): number {
    return this.#questions.filter(({ request }) => !request.signal.aborted).length
  }

  get #isIdle(): boolean {
    return this.#attempts.length + this.#questions.length === 0
  }

  #step(): void {
    const choices = this.#choices
    const { trial } = this
    if (choices.once(60)) {
      this.hasMeddled = true
      trial.orchestrator.cancel()
    } else if (choices.once(70)) {
      this.hasMeddled = true
      void trial.pool.shutdown({ wait: choices.once(2) })
    } else if (choices.once(30)) {
      const { jobId, depth } = choices.of(trial.nodes)
      if (trial.pool.cancelJob(jobId) && depth === 0) this.hasMeddled = true
    } else if (this.#attempts.length > 0 && (this.#questions.length === 0 || !choices.once(3))) {
      const [attempt] = this.#attempts.splice(choices.below(this.#attempts.length), 1)
      attempt?.end(choices.once(4) ? 'fail' : 'complete')
    } else if (this.#questions.length > 0) {
      const [question] = this.#questions.splice(choices.below(this.#questions.length), 1)
      if (choices.once(12)) question?.reject(new Error('expand broke'))
      else if (question !== undefined) question.resolve(this.#decision(question.request))
    }
  }

  #attempt({ isStubborn }: { isStubborn: boolean }, context: HandlerContext): Promise<string> {
    this.#checkStart(context)
    return new Promise((resolve, reject) => {
      const attempt: Attempt = {
        context,
        end: (how) => (how === 'complete' ? resolve('random') : reject(new Error(`${context.nodeId} broke`))),
      }
      this.#attempts.push(attempt)
      if (isStubborn) return
      context.signal.addEventListener('abort', () => {
        this.#attempts.splice(this.#attempts.indexOf(attempt), 1)
        reject(context.signal.reason)
      })
    })
  }

  /** Checks something from inside the run, where what is thrown would be taken for a failure of the workflow. */
  #watch(check: () => void): void {
    try {
      check()
    } catch (thrown) {
      this.#fault ??= thrown
    }
  }

  /** What must be so whenever an attempt starts. */
  #checkStart({ nodeId, jobId, attempt, parentResults }: HandlerContext): void {
    const { trial } = this
    this.#watch(() => {
      expect(trial.outcome).toBeUndefined()
      expect(trial.pool.getStatus().running).toBeLessThanOrEqual(this.maxParallelJobs)
      // What drains may still be retried.
      if (attempt === 1) expect(trial.orchestrator.actor.getSnapshot().hasTag('growing')).toBe(true)
      const started = trial.node(nodeId as string)
      expect(started).toMatchObject({ status: 'running', jobId, result: undefined })
      const { parentId } = started
      if (parentId === undefined) return
      const parent = trial.node(parentId)
      expect(parent.children).toContain(nodeId)
      if (parent.status === 'completed') expect(parentResults[parentId]).toBe(parent.result?.value)
      else expect(parent.status).toBe('failed')
    })
  }

  #expand(request: ExpandRequest): ExpandAnswer | Promise<ExpandAnswer> {
    this.#watch(() => {
      expect(['completed', 'failed']).toContain(request.node.status)
      expect(request.result).toBe(request.node.result)
      expect(request.signal.aborted).toBe(false)
      expect(request.tree.nodes[request.node.id]).toBe(request.node)
    })
    if (this.#choices.once(12)) throw new Error('expand broke at once')
    if (this.#choices.below(2) === 0) return this.#decision(request)
    const { promise, resolve, reject } = Promise.withResolvers<ExpandAnswer>()
    this.#questions.push({ request, resolve, reject })
    const open = this.#questions.filter((question) => !question.request.signal.aborted)
    this.#watch(() => expect(open.length).toBeLessThanOrEqual(this.limits.maxParallelExpands))
    return promise
  }

  #decision({ tree }: ExpandRequest): ExpandAnswer {
    const choices = this.#choices
    const names = Object.keys(tree.nodes)
    const score = choices.once(4) ? { score: choices.below(10) } : {}
    switch (choices.below(12)) {
      case 0:
        return stop(score)
      case 1:
        return undefined
      case 2:
        return prune(
          choices.some(3, () => (choices.once(8) ? 'nobody' : choices.of(names))),
          score,
        )
      case 3:
      case 4:
        return revise(
          { input: { isStubborn: choices.once(4) }, handler: choices.of(['value', 'random']) },
          score,
        )
      case 5:
        return choices.once(3) ? satisfy('found', score) : stop(score)
      case 6:
        return choices.once(3) ? ('rubbish' as never) : grow([])
      default: {
        const keys: string[] = []
        return grow(
          choices.some(5, () => this.#spec([...names, ...keys], keys)),
          score,
        )
      }
    }
  }

  #spec(names: readonly string[], keys: string[] = []): NodeSpec {
    const choices = this.#choices
    const key = choices.once(6) ? `k${choices.below(6)}` : `k${6 + this.#keys++}`
    keys.push(key)
    return node({
      handler: choices.of(['value', 'random', 'random', 'broken']),
      key,
      input: { isStubborn: choices.once(4) },
      priority: choices.of(PRIORITIES),
      maxRetries: choices.below(2),
      ...(choices.once(3) ? { score: choices.below(10) } : {}),
      ...(names.length > 0
        ? { dependencies: choices.some(2, () => (choices.once(15) ? 'nobody' : choices.of(names))) }
        : {}),
    })
  }
}
