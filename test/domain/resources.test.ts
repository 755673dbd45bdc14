import { describe, expect, test } from 'vitest'
import { type Demand, Holdings, ResourceLimits, type Resources } from '../../src/domain/resources.ts'

const capacity = () => ({
  cores: 8,
  containerCpus: 2.5,
  totalMemoryBytes: 1_000_000,
  availableMemoryBytes: 500_000,
})
const limitsOf = (limits: Resources = {}) => new ResourceLimits(limits, capacity)

describe('what a job wants', () => {
  test('is kept in whole units, by name; nothing of nothing is nothing', () => {
    const limits = limitsOf({ gpu: 2, api: 4 })
    expect(limits.demandOf('j', { gpu: 1, cpus: 0.1, memoryBytes: 5 })).toEqual({
      names: ['cpus', 'gpu', 'memoryBytes'],
      units: [100, 1_000, 5],
    })
    expect(limits.demandOf('j', { gpu: 0, api: undefined } as Resources)).toBeUndefined()
    expect(limits.demandOf('j', {})).toBeUndefined()
  })

  test('may be all there is: of cpus and memory, what host or container has, unless the pool says otherwise', () => {
    expect(limitsOf().demandOf('j', { cpus: 2.5, memoryBytes: 1_000_000 })).toBeDefined()
    expect(() => limitsOf().demandOf('j', { cpus: 2.501 })).toThrow(
      /wants 2.501 of `cpus`, but the pool has 2.5 in all/,
    )
    expect(() => limitsOf({ cpus: 1 }).demandOf('j', { cpus: 2 })).toThrow(/ESP_RESOURCES_EXCEEDED/)
    expect(limitsOf({ cpus: 100 }).demandOf('j', { cpus: 64 })).toBeDefined()
  })

  test.each<[unknown, RegExp]>([
    [{ gpu: 3 }, /ESP_RESOURCES_EXCEEDED: Job "j" wants 3 of `gpu`, but the pool has 2 in all/],
    [{ gpo: 1 }, /ESP_INVALID_OPTION: Option "resources" must be made of .*cpus, memoryBytes, gpu.*"gpo"/],
    [{ toString: 1 }, /ESP_INVALID_OPTION/],
    [{ constructor: 1 }, /ESP_INVALID_OPTION/],
    [{ gpu: -1 }, /"resources.gpu" must be a number from 0/],
    [{ gpu: Number.NaN }, /ESP_INVALID_OPTION/],
    [{ gpu: '1' }, /ESP_INVALID_OPTION/],
    [{ gpu: 0.0001 }, /at most three decimals/],
    [{ memoryBytes: 0.5 }, /a whole number/],
    [null, /ESP_INVALID_OPTION/],
    [7, /ESP_INVALID_OPTION/],
  ])('%j is refused', (resources, text) => {
    expect(() => limitsOf({ gpu: 2 }).demandOf('j', resources as Resources)).toThrow(text)
  })

  test('limits are checked the same way', () => {
    expect(() => limitsOf({ gpu: -1 })).toThrow(/"limits.gpu"/)
    expect(() => limitsOf(null as never)).toThrow(/"limits"/)
  })
})

test('what is held comes back to nothing, fractions too', () => {
  const limits = limitsOf({ api: 1 })
  const holdings = new Holdings(limits)
  const demand = limits.demandOf('j', { api: 0.1 }) as Demand
  for (let count = 0; count < 10; count++) {
    expect(holdings.fits(demand)).toBe(true)
    holdings.take(demand)
  }
  expect(holdings.fits(demand)).toBe(false)
  expect(holdings.read()).toMatchObject({ api: { held: 1, limit: 1 } })
  for (let count = 0; count < 10; count++) holdings.giveBack(demand)
  expect(holdings.read()).toMatchObject({ api: { held: 0, limit: 1 } })
})
