import { defineConfig } from 'vitest/config'

// Tests import the package by its own name and read the sources, not the build.
const conditions = ['espalier-source']
const shared = {
  resolve: { conditions },
  ssr: { resolve: { conditions: [...conditions, 'node'] } },
}
const timeouts = { testTimeout: 30_000, hookTimeout: 60_000 }

export default defineConfig({
  test: {
    globalSetup: ['test/inspector/setup.ts'],
    projects: [
      { ...shared, test: { ...timeouts, name: 'default', include: ['test/**/*.test.ts'] } },
      {
        ...shared,
        // Long, and only when asked for: `npm run test:soak`.
        test: {
          ...timeouts,
          name: 'soak',
          include: process.env.npm_lifecycle_event === 'test:soak' ? ['test/**/*.soak.ts'] : [],
        },
      },
      {
        // The same charts, run by XState itself: what the runtime does must not depend on how they run.
        ...shared,
        test: {
          ...timeouts,
          name: 'interpreted',
          include: ['test/{machines,runtime,orchestrator,examples}/**/*.test.ts'],
          env: { ESPALIER_STATECHARTS: 'interpreted' },
        },
      },
    ],
  },
})
