import { IndexedHeap } from '../src/domain/heap.ts'
import { encodeBlock } from '../src/protocol/block.ts'
import { EVENT_CODES, type EventName, JOB_STATES, JournalWriter } from '../src/protocol/index.ts'
import { encodeRecording, type RecordingHeader } from '../src/protocol/recording.ts'

/** What a made-up recording is to look like. */
export interface RecordingShape {
  readonly jobs: number
  /** Equal seeds make equal recordings. Default 1. */
  readonly seed?: number
  /** Default 16. */
  readonly slots?: number
  /** The share of attempts that fail; most of these are tried again. Default 0.01. */
  readonly failures?: number
  /** Events in a block. Default 20,000. */
  readonly blockEvents?: number
}

const KINDS = ['load', 'scale', 'project', 'cluster', 'score', 'summarise', 'compare', 'report']
const STARTED_AT = Date.UTC(2026, 0, 1)
/** How many jobs of a generated one are awaited too, of five. */
const DEPENDENT_OF_FIVE = 1

interface Running {
  heapIndex: number
  readonly job: number
  readonly slot: number
  readonly endsAt: number
}

/** A recording of a run that never was: a tree that grows to so many jobs, with retries, failures and cancellations. */
export function generateRecording(shape: RecordingShape): Uint8Array<ArrayBuffer> {
  const simulation = new Simulation(shape)
  return encodeRecording(HEADER, simulation.run())
}

const HEADER: RecordingHeader = {
  format: 'espalier-recording',
  version: 1,
  id: 'generated',
  startedAt: STARTED_AT,
  idPrefix: 'generated',
  espalier: '0.0.0',
  title: 'generated',
}

class Simulation {
  readonly #shape: Required<RecordingShape>
  readonly #writer = new JournalWriter()
  readonly #blocks: Uint8Array[] = []
  readonly #random: () => number
  readonly #ready: number[] = []
  #readyHead = 0
  readonly #running = new IndexedHeap<Running>((a, b) => a.endsAt < b.endsAt)
  readonly #delayed = new IndexedHeap<Running>((a, b) => a.endsAt < b.endsAt)
  readonly #freeSlots: number[]
  readonly #attempts: number[] = []
  readonly #kinds: number[] = []
  readonly #outstanding: number[] = []
  readonly #dependants = new Map<number, number[]>()
  readonly #states: number[] = []
  #at = 0
  #sampledAt = 0

  constructor(shape: RecordingShape) {
    this.#shape = { seed: 1, slots: 16, failures: 0.01, blockEvents: 20_000, ...shape }
    this.#random = seeded(this.#shape.seed)
    this.#freeSlots = Array.from({ length: this.#shape.slots }, (_, index) => this.#shape.slots - 1 - index)
  }

  run(): Uint8Array[] {
    const writer = this.#writer
    writer.add('runs', {
      id: writer.text('run'),
      workflow: writer.text('generated'),
      strategy: writer.text('best-first'),
    })
    this.#event('run.started', 0, 1, 0)
    this.#grow(-1, Math.min(4, this.#shape.jobs))
    this.#grant()
    for (;;) {
      const ended = this.#running.peek()
      const due = this.#delayed.peek()
      if (due !== undefined && (ended === undefined || due.endsAt < ended.endsAt)) this.#retry(due)
      else if (ended !== undefined) this.#end(ended)
      else break
      this.#grant()
      this.#sample()
      if (writer.pending('events') >= this.#shape.blockEvents) this.#cut()
    }
    this.#event('run.ended', 0, 3, 1)
    this.#cut()
    return this.#blocks
  }

  #grow(parent: number, count: number): void {
    for (let index = 0; index < count && this.#states.length < this.#shape.jobs; index++) this.#submit(parent)
  }

  #submit(parent: number): void {
    const writer = this.#writer
    const job = this.#states.length
    const kind = parent < 0 ? 0 : Math.floor(this.#random() * KINDS.length)
    const depth = parent < 0 ? 0 : (this.#depths[parent] as number) + 1
    this.#depths.push(depth)
    this.#kinds.push(kind)
    this.#attempts.push(0)
    this.#states.push(0)
    const kindText = writer.text(KINDS[kind])
    const score = Math.round(this.#random() * 1000) / 1000
    const node = writer.count('nodes')
    writer.add('jobs', {
      sequence: job,
      id: -1,
      kind: kindText,
      nodeId: 0,
      node: node + 1,
      treeId: writer.text('run'),
      executor: writer.text('async'),
      priority: job % 10 === 0 ? 1 : 2,
      score,
    })
    const waitsFor = this.#dependenciesOf(job, parent)
    for (const on of waitsFor) {
      writer.add('dependencies', { job, on })
      const dependants = this.#dependants.get(on)
      if (dependants === undefined) this.#dependants.set(on, [job])
      else dependants.push(job)
    }
    const open = waitsFor.filter((on) => (this.#states[on] as number) < COMPLETED).length
    this.#outstanding.push(open)
    this.#event('job.submitted', job, 0, 0)
    writer.add('nodes', {
      run: 0,
      number: node,
      parent: parent + 1,
      depth,
      job: job + 1,
      handler: kindText,
      label: kindText,
      key: 0,
      score,
    })
    if (open === 0) this.#ready.push(this.#step('dependencies.met', job, READY))
  }

  readonly #depths: number[] = []

  #dependenciesOf(job: number, parent: number): number[] {
    const waitsFor = parent < 0 ? [] : [parent]
    const other = job - 1 - Math.floor(this.#random() * 50)
    const isDependent = this.#random() * 5 < DEPENDENT_OF_FIVE
    if (isDependent && other >= 0 && other !== parent && (this.#states[other] as number) < FAILED)
      waitsFor.push(other)
    return waitsFor
  }

  #grant(): void {
    while (this.#freeSlots.length > 0 && this.#readyHead < this.#ready.length) {
      const job = this.#ready[this.#readyHead++] as number
      const slot = this.#freeSlots.pop() as number
      this.#at += 2 + Math.floor(this.#random() * 8)
      this.#step('slot.granted', job, EXECUTING)
      this.#attempts[job]!++
      this.#event('attempt.started', job, EXECUTING, slot)
      const takes = 2_000 + 20_000 * (1 + (this.#kinds[job] as number)) * this.#random() ** 3
      this.#running.push({ heapIndex: -1, job, slot, endsAt: Math.round(this.#at + takes) })
    }
  }

  #end(ended: Running): void {
    this.#running.remove(ended)
    this.#freeSlots.push(ended.slot)
    const { job } = ended
    this.#at = Math.max(this.#at, ended.endsAt)
    const attempt = this.#attempts[job] as number
    if (this.#random() >= this.#shape.failures) {
      this.#step('attempt.completed', job, COMPLETED)
      this.#tellDependants(job)
      this.#decide(job)
      return
    }
    const error = this.#error(job, attempt)
    if (attempt <= 2 && this.#random() < 0.9) {
      this.#step('attempt.failed', job, DELAYED, error)
      this.#delayed.push({ heapIndex: -1, job, slot: -1, endsAt: this.#at + 20_000 * 2 ** attempt })
      return
    }
    this.#step('attempt.failed', job, FAILED, error)
    this.#cancelDependants(job)
  }

  #retry(due: Running): void {
    this.#delayed.remove(due)
    this.#at = Math.max(this.#at, due.endsAt)
    this.#ready.push(this.#step('deadline.reached', due.job, READY))
  }

  #error(job: number, attempt: number): number {
    const writer = this.#writer
    const kind = KINDS[this.#kinds[job] as number]
    return (
      writer.add('errors', {
        job,
        attempt,
        name: writer.text('Error'),
        code: 0,
        message: writer.text(`${kind} could not be done: no convergence`),
        stack: writer.text(
          `Error: ${kind} could not be done: no convergence\n    at ${kind} (handlers.ts:12:9)`,
        ),
        causes: 0,
      }) + 1
    )
  }

  #decide(node: number): void {
    const writer = this.#writer
    const isFull = this.#states.length >= this.#shape.jobs
    const children = isFull ? 0 : 1 + Math.floor(this.#random() * 3)
    const score = Math.round(this.#random() * 1000) / 1000
    const before = this.#states.length
    this.#grow(node, children)
    const decision = writer.add('decisions', {
      node,
      type: children === 0 ? 1 : 0,
      why: writer.text(children === 0 ? 'nothing is left to try' : 'promising'),
      score,
      nodes: this.#states.length - before,
      cut: 0,
      error: 0,
    })
    this.#event('node.decided', node, 2, decision + 1)
  }

  #tellDependants(job: number): void {
    for (const dependant of this.#dependants.get(job) ?? []) {
      if (this.#states[dependant] !== 0) continue
      this.#outstanding[dependant]!--
      if (this.#outstanding[dependant] === 0)
        this.#ready.push(this.#step('dependencies.met', dependant, READY))
    }
  }

  #cancelDependants(failed: number): void {
    const writer = this.#writer
    const open = [failed]
    for (let job = open.pop(); job !== undefined; job = open.pop()) {
      for (const dependant of this.#dependants.get(job) ?? []) {
        if (this.#states[dependant] !== 0) continue
        const reason = writer.text('dependency')
        const cancel = writer.add('cancels', { job: dependant, by: 1, reason, causedBy: job + 1 })
        this.#step('job.cancel', dependant, CANCELLED, cancel + 1)
        open.push(dependant)
      }
    }
  }

  #sample(): void {
    if (this.#at - this.#sampledAt < 1e6) return
    this.#sampledAt = this.#at
    this.#writer.add('samples', {
      at: this.#at,
      busy: this.#running.size,
      limit: this.#shape.slots,
      ready: this.#ready.length - this.#readyHead,
      waiting: this.#delayed.size,
      rss: 120_000 + Math.floor(this.#states.length / 10),
      heap: 60_000 + Math.floor(this.#states.length / 12),
      lag: Math.floor(this.#random() * 2_000),
      cpu: 80,
    })
  }

  /** @returns The job. */
  #step(name: EventName, job: number, state: number, detail = 0): number {
    this.#states[job] = state
    this.#event(name, job, state, detail)
    return job
  }

  #event(name: EventName, subject: number, state: number, detail: number): void {
    this.#at += Math.floor(this.#random() * 3)
    this.#writer.add('events', { at: this.#at, code: EVENT_CODES[name], subject, state, detail })
  }

  #cut(): void {
    const block = this.#writer.take()
    if (block !== undefined) this.#blocks.push(encodeBlock(block))
  }
}

const READY = JOB_STATES.indexOf('queued.ready')
const DELAYED = JOB_STATES.indexOf('queued.delayed')
const EXECUTING = JOB_STATES.indexOf('running.executing')
const COMPLETED = JOB_STATES.indexOf('completed')
const FAILED = JOB_STATES.indexOf('failed')
const CANCELLED = JOB_STATES.indexOf('cancelled')

/** Numbers in [0, 1) that a seed decides (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
