import { RunStore } from '../../inspector/model/run-store.ts'
import { encodeBlock } from '../../src/protocol/block.ts'
import {
  CANCEL_SOURCES,
  DECISION_TYPES,
  EVENT_CODES,
  type EventName,
  JOB_STATES,
  JournalWriter,
  POOL_STATES,
} from '../../src/protocol/index.ts'
import { encodeRecording, type RecordingHeader } from '../../src/protocol/recording.ts'

const HEADER: RecordingHeader = {
  format: 'espalier-recording',
  version: 1,
  id: 'told',
  startedAt: 0,
  idPrefix: '',
  espalier: '0.0.0',
  title: 'told',
}

type JobState = (typeof JOB_STATES)[number]

/** A run that a test tells event by event, from the instant 0; all times are in ms. */
export class ToldRun {
  readonly #writer = new JournalWriter()

  /** @returns Its number. */
  job(id: string, { priority = 2, on = [] }: { priority?: number; on?: readonly number[] } = {}): number {
    const job = this.#writer.add('jobs', {
      sequence: 0,
      id: this.#writer.text(id),
      kind: this.#writer.text('load'),
      nodeId: 0,
      node: 0,
      treeId: 0,
      executor: this.#writer.text('async'),
      priority,
      score: Number.NaN,
    })
    for (const each of on) this.#writer.add('dependencies', { job, on: each })
    return job
  }

  /** What happened to a job, and its state after that. */
  step(at: number, name: EventName, job: number, state: JobState, detail = 0): this {
    return this.#event(at, name, job, JOB_STATES.indexOf(state), detail)
  }

  /** A job that ends with the one it depends on. */
  cancelledBy(at: number, dependency: number, job: number): this {
    const reason = this.#writer.text('dependency')
    const by = CANCEL_SOURCES.indexOf('dependency')
    const cancel = this.#writer.add('cancels', { job, by, reason, causedBy: dependency + 1 })
    return this.step(at, 'job.cancel', job, 'cancelled', cancel + 1)
  }

  /** One attempt from its job's submission to its end. */
  attempt(job: number, slot: number, from: number, to: number, end: JobState = 'completed'): this {
    return this.step(from, 'job.submitted', job, 'queued.ready')
      .step(from, 'attempt.started', job, 'running.executing', slot)
      .step(to, end === 'completed' ? 'attempt.completed' : 'attempt.failed', job, end)
  }

  /** An attempt that has thrown, and the state of its job after that. */
  failed(at: number, job: number, attempt: number, message: string, state: JobState): this {
    const none = { name: 0, code: 0, stack: 0, causes: 0 }
    const error = this.#writer.add('errors', { ...none, job, attempt, message: this.#writer.text(message) })
    return this.step(at, 'attempt.failed', job, state, error + 1)
  }

  /** A node of one run; its job is to be submitted. @returns Its row. */
  node(label: string, { parent = -1, job = -1, score = Number.NaN } = {}): number {
    const text = this.#writer.text(label)
    const names = { handler: text, label: text, key: 0 }
    const number = this.#writer.count('nodes')
    const links = { run: 0, number, parent: parent + 1, depth: parent < 0 ? 0 : 1, job: job + 1 }
    return this.#writer.add('nodes', { ...links, ...names, score })
  }

  /** What `expand` has decided about a node. */
  decided(at: number, node: number, type: (typeof DECISION_TYPES)[number], score = Number.NaN): this {
    const why = this.#writer.text(`why it ${type}s`)
    const place = DECISION_TYPES.indexOf(type)
    const row = this.#writer.add('decisions', { node, type: place, why, score, nodes: 1, cut: 0, error: 0 })
    return this.#event(at, 'node.decided', node, 0, row + 1)
  }

  pool(at: number, name: EventName, state: (typeof POOL_STATES)[number], detail = 0): this {
    const place = POOL_STATES.findIndex((pair) => pair.join() === state.join())
    return this.#event(at, name, 0, place, detail)
  }

  sample(at: number, limit: number): this {
    const none = { busy: 0, ready: 0, waiting: 0, rss: 0, heap: 0, lag: 0, cpu: 0 }
    this.#writer.add('samples', { ...none, at: at * 1000, limit })
    return this
  }

  /** What was told since the last time, for a store of its own or for one that goes on. */
  run(store = new RunStore({ startedAt: 0, idPrefix: '' })): RunStore {
    const block = this.#writer.take()
    if (block !== undefined) store.apply(block)
    return store
  }

  /** What was told since the last time, as a recording. */
  recording(): Uint8Array<ArrayBuffer> {
    const block = this.#writer.take()
    return encodeRecording(HEADER, block === undefined ? [] : [encodeBlock(block)])
  }

  #event(at: number, name: EventName, subject: number, state: number, detail: number): this {
    this.#writer.add('events', { at: at * 1000, code: EVENT_CODES[name], subject, state, detail })
    return this
  }
}
