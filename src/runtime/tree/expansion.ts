import { EspalierError } from '../../domain/errors.ts'
import { Fifo } from '../../domain/fifo.ts'
import { isThenable, toError } from '../../domain/thrown.ts'
import type { Deadlines, Sleeper, Wish } from '../scheduling/deadlines.ts'

export interface ExpansionRules {
  readonly maxParallelExpands: number
  readonly expandTimeoutMs: number
}

/** Asks one question, and takes its answer: exactly one of `answered` and `unanswered`, unless it is dropped. */
export interface Questioner<Node> {
  ask(node: Node, question: Question<Node>): unknown
  answered(node: Node, answer: unknown): void
  unanswered(node: Node, error: EspalierError): void
}

/**
 * Asks `expand`, for several nodes at a time and each for a bounded time.
 *
 * Every end is put to it at once and on its own: a slow answer holds back no other.
 */
export class Expansion<Node extends { readonly id: string }> {
  readonly #rules: ExpansionRules
  readonly #deadlines: Deadlines
  readonly #now: () => number
  readonly #questioner: Questioner<Node>
  /** There are some only while as many questions are open as may be. */
  readonly #waiting = new Fifo<Node>()
  readonly #open: Question<Node>[] = []

  constructor(rules: ExpansionRules, deadlines: Deadlines, now: () => number, questioner: Questioner<Node>) {
    this.#rules = rules
    this.#deadlines = deadlines
    this.#now = now
    this.#questioner = questioner
  }

  /** How many questions have no answer yet. */
  get size(): number {
    return this.#waiting.size + this.#open.length
  }

  ask(node: Node): void {
    if (this.#open.length < this.#rules.maxParallelExpands) this.#put(node)
    else this.#waiting.push(node)
  }

  /** Wants no answer for some nodes any more: open calls are told by their signal. */
  drop(reason: unknown, isDropped: (node: Node) => boolean = () => true): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const node of waiting) if (!isDropped(node)) this.#waiting.push(node)
    for (const question of [...this.#open]) {
      if (isDropped(question.node) && this.#close(question)) question.abort(reason)
    }
    this.#next()
  }

  #next(): void {
    while (this.#open.length < this.#rules.maxParallelExpands) {
      const node = this.#waiting.shift()
      if (node === undefined) return
      this.#put(node)
    }
  }

  #put(node: Node): void {
    const question = new Question(node, this.#open.length)
    this.#open.push(question)
    let answer: unknown
    try {
      answer = this.#questioner.ask(node, question)
      if (isThenable(answer)) {
        this.#await(question, answer)
        return
      }
    } catch (thrown) {
      this.#fail(question, thrown)
      return
    }
    if (this.#close(question)) this.#questioner.answered(node, answer)
  }

  #await(question: Question<Node>, answer: PromiseLike<unknown>): void {
    const { expandTimeoutMs: timeoutMs } = this.#rules
    question.onTimeout = () => {
      const error = new EspalierError('ESP_EXPAND_TIMEOUT', { nodeId: question.node.id, timeoutMs })
      if (!this.#close(question)) return
      question.abort(error)
      this.#questioner.unanswered(question.node, error)
      this.#next()
    }
    this.#deadlines.set(question, this.#now() + timeoutMs)
    Promise.resolve(answer).then(
      (value) => {
        if (this.#close(question)) this.#questioner.answered(question.node, value)
        this.#next()
      },
      (thrown) => {
        this.#fail(question, thrown)
        this.#next()
      },
    )
  }

  #fail(question: Question<Node>, thrown: unknown): void {
    if (!this.#close(question)) return
    const cause = toError(thrown)
    const details = { nodeId: question.node.id, message: cause.message }
    this.#questioner.unanswered(question.node, new EspalierError('ESP_EXPAND_FAILED', details, { cause }))
  }

  /** `false` when the question has been answered, dropped or given up before. */
  #close(question: Question<Node>): boolean {
    const { place } = question
    if (place < 0) return false
    question.place = -1
    this.#deadlines.remove(question)
    const last = this.#open.pop() as Question<Node>
    if (last !== question) {
      this.#open[place] = last
      last.place = place
    }
    return true
  }
}

/** A question that is open. */
export class Question<Node> implements Sleeper {
  readonly node: Node
  /** Among the open ones; -1 once it is closed. */
  place: number
  wish: Wish | undefined = undefined
  onTimeout: (() => void) | undefined = undefined
  #controller: AbortController | undefined

  constructor(node: Node, place: number) {
    this.node = node
    this.place = place
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    return this.#controller.signal
  }

  abort(reason: unknown): void {
    this.#controller ??= new AbortController()
    this.#controller.abort(reason)
  }

  wake(): void {
    this.onTimeout?.()
  }
}
