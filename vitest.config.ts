import { defineConfig } from 'vitest/config'

export default defineConfig({
  // Tests import the package by its own name and read the sources, not the build.
  resolve: { conditions: ['espalier-source'] },
  ssr: { resolve: { conditions: ['espalier-source', 'node'] } },
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})
