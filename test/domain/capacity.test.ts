import { expect, test } from 'vitest'
import { autoLimit } from '../../src/domain/capacity.ts'

const GIB = 1024 ** 3
const limitOf = (cores: number, gib: number, containerCpus?: number) =>
  autoLimit({ cores, containerCpus, totalMemoryBytes: 64 * GIB, availableMemoryBytes: gib * GIB })

test.each([
  [8, 32, undefined, 8, 'cores'],
  [8, 3.4, undefined, 6, 'memory'],
  [8, 32, 2.5, 2, 'container'],
  [8, 32, 0.25, 1, 'container'],
  [8, 0.1, undefined, 1, 'memory'],
  [4, 2, 4, 4, 'cores'],
] as const)('%i cores, %f GiB, container %s: %i, bound by %s', (cores, gib, cpus, limit, boundBy) => {
  expect(limitOf(cores, gib, cpus)).toMatchObject({ maxParallelJobs: limit, boundBy, cores })
})

test('the formula tells all that was compared', () => {
  expect(limitOf(8, 3.4).formula).toBe(
    'min(8 cores, 3.4 GiB available × 2, no container limit) = 6, bound by memory',
  )
  expect(limitOf(8, 3.4, 1.5).formula).toBe(
    "min(8 cores, 3.4 GiB available × 2, container's 1.5 CPUs) = 1, bound by container",
  )
})
