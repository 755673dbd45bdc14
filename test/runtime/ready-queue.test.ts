import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Queueable, ReadyQueue } from '../../src/runtime/scheduling/ready-queue.ts'

class Row implements Queueable {
  band: number
  readonly score: number
  readonly sequence: number
  isReady = false
  constructor(band: number, score: number, sequence: number) {
    this.band = band
    this.score = score
    this.sequence = sequence
  }
}

const readyRow = (band: number, score: number, sequence: number): Row => {
  const row = new Row(band, score, sequence)
  row.isReady = true
  return row
}

const PROMOTE_AFTER_MS = 50

type Command =
  | { readonly do: 'add'; readonly band: number; readonly score: number }
  | { readonly do: 'take' }
  | { readonly do: 'cancel'; readonly pick: number }
  | { readonly do: 'retry'; readonly pick: number }

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('add' as const),
      band: fc.nat(3),
      score: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.integer({ min: -2, max: 2 })),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('take' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cancel' as const), pick: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('retry' as const), pick: fc.nat() }) },
)

interface Place {
  band: number
  since: number
}

/** The queue beside what it promises, without any cleverness: a list that is searched each time. */
class Run {
  at = 0
  readonly #queue: ReadyQueue<Row>
  readonly #promoteAfterMs: number
  readonly #waiting = new Map<Row, Place>()
  readonly #taken: Row[] = []
  #sequence = 0

  constructor(promoteAfterMs: number) {
    this.#queue = new ReadyQueue(promoteAfterMs)
    this.#promoteAfterMs = promoteAfterMs
  }

  step(command: Command): void {
    switch (command.do) {
      case 'add':
        this.#add(new Row(command.band, command.score, this.#sequence++))
        break
      case 'take':
        this.#take()
        break
      case 'cancel': {
        const row = [...this.#waiting.keys()][command.pick % Math.max(1, this.#waiting.size)]
        if (row !== undefined) this.#leave(row)
        break
      }
      case 'retry': {
        const [row] = this.#taken.splice(command.pick % Math.max(1, this.#taken.length), 1)
        if (row !== undefined) this.#add(row)
        break
      }
    }
    expect([...this.#queue]).toEqual(this.#inOrder())
  }

  #add(row: Row): void {
    row.isReady = true
    this.#waiting.set(row, { band: row.band, since: this.at })
    this.#queue.add(row, this.at)
  }

  #take(): void {
    this.#promote()
    const row = this.#queue.take(this.at)
    expect(row).toBe(this.#inOrder()[0])
    if (row === undefined) return
    this.#leave(row)
    this.#taken.push(row)
  }

  #leave(row: Row): void {
    row.isReady = false
    this.#waiting.delete(row)
  }

  /** Promotions are noticed when a job is taken, one band at a time. */
  #promote(): void {
    if (this.#promoteAfterMs === 0) return
    for (const place of this.#waiting.values()) {
      if (place.band === 0 || this.at - place.since < this.#promoteAfterMs) continue
      place.band--
      place.since = this.at
    }
  }

  #inOrder(): Row[] {
    const bandOf = (row: Row) => this.#waiting.get(row)?.band as number
    const compare = (a: Row, b: Row) => bandOf(a) - bandOf(b) || b.score - a.score || a.sequence - b.sequence
    return [...this.#waiting.keys()].sort(compare)
  }
}

describe('the ready queue', () => {
  test('agrees with a sorted list after any adds, takes, cancellations and retries', () => {
    const property = fc.property(fc.array(command, { maxLength: 150, size: 'max' }), (commands) => {
      const run = new Run(0)
      for (const each of commands) run.step(each)
    })
    fc.assert(property, { numRuns: 200 })
  })

  test('gives a cancelled job a place again only by a new add', () => {
    const queue = new ReadyQueue<Row>()
    const [first, second] = [readyRow(2, 0, 0), readyRow(2, 0, 1)]
    queue.add(first, 0)
    queue.add(second, 0)
    first.isReady = false
    expect(queue.take(0)).toBe(second)
    second.isReady = false
    expect(queue.take(0)).toBeUndefined()
  })

  test('forgets all places when cleared', () => {
    const queue = new ReadyQueue<Row>()
    const row = readyRow(0, 5, 0)
    queue.add(row, 0)
    queue.clear()
    expect(queue.take(0)).toBeUndefined()
    queue.add(row, 0)
    expect(queue.take(0)).toBe(row)
  })
})

describe('ageing', () => {
  test('moves a job up one band each time it has waited the interval', () => {
    const queue = new ReadyQueue<Row>(PROMOTE_AFTER_MS)
    const low = readyRow(3, 0, 0)
    queue.add(low, 0)
    const bands = [49, 50, 99, 100, 149, 150, 500].map((at) => {
      const probe = readyRow(0, 9, 1)
      queue.add(probe, at)
      expect(queue.take(at)).toBe(probe)
      return low.band
    })
    expect(bands).toEqual([3, 2, 2, 1, 1, 0, 0])
  })

  test('counts each wait of a job for itself: a retry begins anew', () => {
    const queue = new ReadyQueue<Row>(PROMOTE_AFTER_MS)
    const low = readyRow(3, 0, 0)
    queue.add(low, 0)
    expect(queue.take(10)).toBe(low)
    queue.add(low, 45)
    const probe = readyRow(0, 9, 1)
    queue.add(probe, 60)
    expect(queue.take(60)).toBe(probe)
    expect(low.band).toBe(3)
  })

  test('a place that a promoted job has left does not hold back those that come after', () => {
    const queue = new ReadyQueue<Row>(PROMOTE_AFTER_MS)
    const promoted = readyRow(1, -1, 0)
    queue.add(promoted, 0)
    queue.add(readyRow(1, 5, 1), 10)
    queue.add(readyRow(1, -2, 2), 10)
    expect(queue.take(50)).toBe(promoted)
    const best = readyRow(1, 9, 3)
    queue.add(best, 50)
    expect(queue.take(50)).toBe(best)
  })

  test('agrees with a list in which each job counts its own time', () => {
    const timed: fc.Arbitrary<Command | { readonly do: 'pass'; readonly ms: number }> = fc.oneof(
      { weight: 4, arbitrary: command },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.nat(60) }) },
    )
    const property = fc.property(fc.array(timed, { maxLength: 80, size: 'max' }), (commands) => {
      const run = new Run(PROMOTE_AFTER_MS)
      for (const each of commands) {
        if (each.do === 'pass') run.at += each.ms
        else run.step(each)
      }
    })
    fc.assert(property, { numRuns: 200 })
  })
})
