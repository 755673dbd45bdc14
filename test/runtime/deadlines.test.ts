import { SimulatedClock } from 'espalier/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Deadlines, type Sleeper, type Wish } from '../../src/runtime/scheduling/deadlines.ts'

class Alarm implements Sleeper {
  wish: Wish | undefined = undefined
  readonly #ring: (at: number) => void

  constructor(ring: (at: number) => void) {
    this.#ring = ring
  }

  wake(at: number): void {
    this.#ring(at)
  }
}

const operation = fc.oneof(
  // Nearly all are as long as the one before, as timeouts are.
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('set' as const), who: fc.nat(9), ms: fc.constant(100) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('set' as const), who: fc.nat(9), ms: fc.nat(300) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), who: fc.nat(9) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.nat(80) }) },
)

test('each sleeper is woken once, at its last wish, the earliest first', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 40 }), async (operations) => {
      const clock = new SimulatedClock()
      const deadlines = new Deadlines(clock)
      const woken: string[] = []
      const alarms = Array.from({ length: 10 }, (_, who) => new Alarm((at) => woken.push(`${who} at ${at}`)))
      const wishes = new Map<number, number>()
      const expected: string[] = []
      for (const operation of operations) {
        if (operation.do === 'set') {
          wishes.set(operation.who, clock.now() + operation.ms)
          deadlines.set(alarms[operation.who] as Alarm, clock.now() + operation.ms)
        } else if (operation.do === 'remove') {
          wishes.delete(operation.who)
          deadlines.remove(alarms[operation.who] as Alarm)
        } else {
          const until = clock.now() + operation.ms
          const due = [...wishes].filter(([, at]) => at <= until).sort(([, a], [, b]) => a - b)
          for (const [who, at] of due) {
            wishes.delete(who)
            expected.push(`${who} at ${at}`)
          }
          await clock.advance(operation.ms)
        }
        expect(deadlines.size).toBe(wishes.size)
      }
      const inOrder = (told: readonly string[]) => told.map((text) => text.replace(/.* at /, ''))
      expect(inOrder(woken)).toEqual(inOrder(expected))
      expect(woken.toSorted()).toEqual(expected.toSorted())
    }),
    { numRuns: 200 },
  )
})
