import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, test } from 'vitest'
import { killLoop } from './kill-loop.ts'

const root = mkdtempSync(join(tmpdir(), 'espalier-soak-'))
afterAll(() => rmSync(root, { recursive: true }))

const rounds = Number(process.env.ROUNDS ?? 100)
const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)

test(
  `${rounds} victims, killed at random moments, come to the same end: SEED=${seed}`,
  async () => {
    await killLoop(() => mkdtempSync(join(root, 'run-')), { rounds, kills: 5, seed })
  },
  4 * 3_600_000,
)
