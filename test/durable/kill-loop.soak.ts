import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, test } from 'vitest'
import { CLUSTERING, JOBS, killLoop } from './kill-loop.ts'

let root = mkdtempSync(join(tmpdir(), 'espalier-soak-'))
afterAll(() => rmSync(root, { recursive: true }))
afterEach(() => {
  rmSync(root, { recursive: true })
  root = mkdtempSync(join(tmpdir(), 'espalier-soak-'))
})

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)
/** Of both together; each ends with the victim that it has begun. */
const minutes = Number(process.env.MINUTES ?? 10)

test.each([
  ['jobs and a run', JOBS],
  ['the clustering example', CLUSTERING],
] as const)(
  `%s, killed at random moments, come to the same end: SEED=${seed} MINUTES=${minutes}`,
  async (name, victim) => {
    const until = Date.now() + (minutes / 2) * 60_000
    const isOver = () => Date.now() >= until
    const rounds = await killLoop(() => mkdtempSync(join(root, 'run-')), victim, { seed, kills: 5, isOver })
    process.stdout.write(`${name}: ${rounds} victims, killed 5 times each\n`)
  },
  minutes * 60_000 + 300_000,
)
