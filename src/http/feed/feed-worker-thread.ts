import { Worker } from 'node:worker_threads'
import type { Description } from '../../diagram/describe.ts'
import type { Chart } from '../../protocol/chart.ts'
import type { MadeBlock } from '../notes/journal-maker.ts'
import type { RawChunk } from '../notes/raw-chunk.ts'
import type { Query } from '../queries/query.ts'
import type { Answer, FeedSettings, Question } from './worker-messages.ts'

/** The worker thread, and what is asked of it. */
export class FeedWorker {
  readonly #worker: Worker
  readonly #cuts: ((blocks: readonly MadeBlock[]) => void)[] = []
  readonly #asked = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>()
  #questions = 0
  #isClosing = false
  #hasEnded = false

  constructor(settings: FeedSettings) {
    // The build names its files .js.
    const file = import.meta.url.endsWith('.ts') ? './feed-worker.ts' : './feed-worker.js'
    this.#worker = new Worker(new URL(file, import.meta.url), { workerData: settings })
    this.#worker.unref()
    this.#worker.on('message', (answer: Answer) => this.#take(answer))
    this.#worker.on('error', () => this.#end())
    this.#worker.on('exit', () => this.#end())
  }

  /** Blocks of what has been noted. The chunks are the worker's from then on. */
  cut(chunks: readonly RawChunk[]): Promise<readonly MadeBlock[]> {
    if (this.#hasEnded) return Promise.resolve([])
    return new Promise((resolve) => {
      this.#cuts.push(resolve)
      this.#send(
        { type: 'cut', chunks },
        chunks.map(({ words }) => words.buffer),
      )
    })
  }

  /** @param blocks - Those that no question before came with. */
  ask(query: Query, blocks: readonly Uint8Array[]): Promise<unknown> {
    return this.#question((id) => ({ type: 'query', id, query, blocks }))
  }

  layOut(machine: string, description: Description): Promise<Chart> {
    return this.#question((id) => ({ type: 'layout', id, machine, description })) as Promise<Chart>
  }

  async close(): Promise<void> {
    this.#isClosing = true
    // A worker at rest would let the process end before it has.
    this.#worker.ref()
    await this.#worker.terminate()
  }

  #question(make: (id: number) => Question): Promise<unknown> {
    if (this.#hasEnded) return Promise.reject(closed())
    const id = this.#questions++
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve, reject })
      this.#send(make(id))
    })
  }

  #send(question: Question, transfer: ArrayBuffer[] = []): void {
    // Whoever waits for an answer keeps the process awake; a worker at rest does not.
    this.#worker.ref()
    this.#worker.postMessage(question, transfer)
  }

  #take(answer: Answer): void {
    if (answer.type === 'blocks') this.#cuts.shift()?.(answer.blocks)
    else {
      const asked = this.#asked.get(answer.id)
      this.#asked.delete(answer.id)
      if (answer.type === 'found') asked?.resolve(answer.result)
      else asked?.reject(new Error(answer.message))
    }
    if (this.#cuts.length === 0 && this.#asked.size === 0 && !this.#isClosing) this.#worker.unref()
  }

  #end(): void {
    this.#hasEnded = true
    for (const resolve of this.#cuts.splice(0)) resolve([])
    for (const { reject } of this.#asked.values()) reject(closed())
    this.#asked.clear()
  }
}

const closed = (): Error => new Error('The recording has been closed.')
