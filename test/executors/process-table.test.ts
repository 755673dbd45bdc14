import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { canReadProcesses, parseStat, readProcesses } from '../../src/executors/process-table.ts'

describe('a line of /proc/<pid>/stat', () => {
  const line =
    '4242 (a) b (c) S 4000 4200 4100 0 -1 4194304 100 0 0 0 12 3 40 5 20 0 7 0 12345 99999744 2500 18446744073709551615 1 1 0'

  test('is read though the name of the program has spaces and parentheses', () => {
    expect(parseStat(4242, line, 4_096)).toEqual({
      pid: 4242,
      group: 4200,
      session: 4100,
      hasEnded: false,
      cpuMs: 600,
      memoryBytes: 10_240_000,
    })
  })

  test('tells of one that has ended and is not buried', () => {
    expect(parseStat(4242, line.replace(' S ', ' Z '), 4_096)?.hasEnded).toBe(true)
  })

  test('that is gone is none', () => {
    expect(parseStat(4242, undefined, 4_096)).toBeUndefined()
  })
})

test.runIf(canReadProcesses)('this process is among those of the machine, with what it takes', () => {
  const own = readProcesses().find(({ pid }) => pid === process.pid)
  const { user, system } = process.cpuUsage()
  expect(own?.cpuMs).toBeGreaterThan((user + system) / 1_000 - 500)
  const resident = Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1_024
  expect((own?.memoryBytes ?? 0) / resident).toBeGreaterThan(0.8)
  expect((own?.memoryBytes ?? 0) / resident).toBeLessThan(1.2)
  expect(readProcesses(process.pid + 1).every(({ pid }) => pid > process.pid)).toBe(true)
})
