import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { LiveScreen } from '../../src/cli/live-screen.ts'
import type { Output } from '../../src/cli/output.ts'
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

  test('--no-color switches colours off', async () => {
    const colour = '\u001b[32m'
    const colours = await Promise.all([
      run('run', fixture('counting')),
      run('run', fixture('counting'), '--no-color'),
    ])
    expect(colours.map(({ stdout }) => stdout.includes(colour))).toEqual([true, false])
  })
})

describe('a live screen', () => {
  beforeEach(() => {
    vi.useFakeTimers({
      toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'],
    })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  /** A terminal on which nothing can be seen. */
  const createOutput = () => {
    const look = { columns: 80, rows: ROWS, hasColors: false }
    const nothing = () => {}
    const canvas = { ...look, isTTY: true, write: () => true }
    return {
      ...look,
      canvas,
      raw: nothing,
      onResize: () => nothing,
      divert: () => nothing,
    } as unknown as Output
  }

  /** How often it is drawn in 2 seconds. */
  const drawings = (whatHappens: (screen: LiveScreen) => void) => {
    let count = 0
    const screen = new LiveScreen(createOutput(), () => [[`drawing ${++count}`]])
    for (let ms = 0; ms < 2_000; ms++) {
      whatHappens(screen)
      vi.advanceTimersByTime(1)
    }
    screen.stop()
    return count
  }

  test('is drawn ten times a second, however much happens', () => {
    const count = drawings((screen) => {
      for (let times = 0; times < 10; times++) screen.update()
    })
    expect(count).toBeGreaterThanOrEqual(19)
    expect(count).toBeLessThanOrEqual(21)
  })

  test('is drawn once a second while nothing happens, since times go on', () => {
    const count = drawings(() => {})
    expect(count).toBeGreaterThanOrEqual(2)
    expect(count).toBeLessThanOrEqual(3)
  })
})
