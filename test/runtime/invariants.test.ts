import fc from 'fast-check'
import { test } from 'vitest'
import { operation, World } from './world.ts'

test.each([false, true])(
  'the promises of the pool hold under any operations (releaseZombies: %o)',
  async (releaseZombies) => {
    const property = fc.asyncProperty(
      fc.array(operation, { maxLength: 60, size: 'max' }),
      async (operations) => {
        const world = new World(releaseZombies)
        for (const each of operations) await world.step(each)
        await world.finish()
      },
    )
    await fc.assert(property, { numRuns: 150 })
  },
)
