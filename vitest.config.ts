import { availableParallelism } from 'node:os'
import { configDefaults, defineConfig } from 'vitest/config'

// Tests import the package by its own name and read the sources, not the build.
const conditions = ['espalier-source']
const shared = {
  resolve: { conditions },
  ssr: { resolve: { conditions: [...conditions, 'node'] } },
}
const timeouts = { testTimeout: 30_000, hookTimeout: 60_000 }
// Many tests wait for processes and browsers: on two cores, two at a time take little more than half as long.
const maxWorkers = Math.max(2, availableParallelism() - 1)
// What measures frames and tasks of the page wants the machine for itself, after all others.
const alone = ['test/inspector/budgets.test.ts']

export default defineConfig({
  test: {
    globalSetup: ['test/inspector/setup.ts'],
    projects: [
      {
        ...shared,
        test: {
          ...timeouts,
          name: 'default',
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...alone],
          maxWorkers,
        },
      },
      {
        ...shared,
        test: { ...timeouts, name: 'alone', include: alone, maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
      {
        ...shared,
        // Long, and only when asked for: `npm run test:soak`.
        test: {
          ...timeouts,
          name: 'soak',
          maxWorkers,
          include: process.env.npm_lifecycle_event === 'test:soak' ? ['test/**/*.soak.ts'] : [],
        },
      },
      {
        // The same charts, run by XState itself: what the runtime does must not depend on how they run.
        ...shared,
        test: {
          ...timeouts,
          name: 'interpreted',
          maxWorkers,
          include: [
            'test/{machines,runtime,orchestrator,examples}/**/*.test.ts',
            'test/durable/{acceptance,clock,explain,fork,leaving,recovery,reuse,run,told}.test.ts',
          ],
          env: { ESPALIER_STATECHARTS: 'interpreted' },
        },
      },
    ],
  },
})
