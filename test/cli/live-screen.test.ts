import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Command, fixture, hasTerminals } from './command.ts'
import { Terminal } from './terminal.ts'

const ROWS = 24

// Skipped without a terminal, which on a CI machine is a failure instead.
describe.runIf(hasTerminals || process.env.CI)('on a terminal', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'espalier-tty-'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  async function run(...args: readonly string[]) {
    const { code, stdout } = await Command.onTerminal(folder, ...args).ended
    const frames = stdout.split('\u001b[?2026h')
    const after = (count: number) => {
      const terminal = new Terminal(ROWS)
      terminal.write(frames.slice(0, count).join(''))
      return terminal
    }
    return { code, stdout, frames: frames.length, first: after(2), last: after(frames.length) }
  }

  test('the live view is drawn, and leaves nothing behind but the report', async () => {
    const { code, first, last, frames } = await run(
      'run',
      fixture('counting'),
      '--input',
      'goal=20',
      '--run-id',
      'r1',
    )
    expect(code).toBe(0)
    expect(frames).toBeGreaterThan(1)
    expect(first.text).toMatch(/^counting {2}run r1\n.*slots \d\/3/)
    expect(first.isCursorHidden).toBe(true)
    expect(last.text).toMatch(/^Tree\n✓ n0 step 1/)
    expect(last.text).toMatch(
      /value {2}\{ steps: 20, name: undefined \}\n {2}file {3}results\/counting-r1\.json$/,
    )
    expect(last.isCursorHidden).toBe(false)
  })

  test('what a handler prints stays above it', async () => {
    const { code, last } = await run('run', fixture('chatty'))
    expect(code).toBe(0)
    expect(last.text).toMatch(/^loaded\nprinted by a handler, in parts\nTree\n/)
  })

  test('an error of the workflow itself leaves the terminal as it was', async () => {
    const { code, last } = await run('run', fixture('crashing'))
    expect(code).toBe(1)
    expect(last.isCursorHidden).toBe(false)
    expect(last.text).toContain('Error: nobody catches this')
    expect(last.text).not.toContain('slots')
  })

  test('it is drawn at most ten times a second', async () => {
    const startedAt = performance.now()
    const { frames } = await run('run', fixture('busy'))
    const seconds = (performance.now() - startedAt) / 1000
    // Two writes a drawing when something is printed above, and one to take the view away.
    expect(frames).toBeLessThan(seconds * 10 + 3)
    expect(frames).toBeGreaterThan(1)
  })

  test('--no-color switches colours off', async () => {
    const colour = '\u001b[32m'
    const colours = await Promise.all([
      run('run', fixture('counting')),
      run('run', fixture('counting'), '--no-color'),
    ])
    expect(colours.map(({ stdout }) => stdout.includes(colour))).toEqual([true, false])
  })
})
