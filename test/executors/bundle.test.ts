import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'vite'
import { expect, test } from 'vitest'

test.each([
  ['es', 'program.mjs'],
  ['cjs', 'program.cjs'],
] as const)(
  'a program that has espalier in its bundle is told to leave it out (%s)',
  async (format, file) => {
    const outDir = await mkdtemp(join(tmpdir(), 'espalier-bundle-'))
    try {
      await build({
        configFile: false,
        logLevel: 'silent',
        ssr: { noExternal: true },
        build: {
          ssr: fileURLToPath(new URL('./fixtures/bundled.ts', import.meta.url)),
          outDir,
          rolldownOptions: { output: { format, codeSplitting: false, entryFileNames: file } },
        },
      })
      const { stdout } = await promisify(execFile)(process.execPath, [join(outDir, file)])
      const isTold = [
        'failed',
        'rejected',
        1,
        expect.stringMatching(/^ESP_BUNDLED: .*`espalier` as external/),
      ]
      expect(JSON.parse(stdout)).toEqual(
        ['thread', 'process', 'command'].map((executor) => [executor, ...isTold]),
      )
    } finally {
      await rm(outDir, { recursive: true })
    }
  },
  30_000,
)
