import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { inheritedOptions } from '../../src/executors/process/inherited-options.ts'

test('a library behind an executor is loaded with its first attempt', async () => {
  const script = fileURLToPath(new URL('./fixtures/loaded.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [script])
  expect(JSON.parse(stdout)).toEqual([[], ['piscina']])
})

test('idle threads and processes do not keep the program awake', async () => {
  const script = fileURLToPath(new URL('./fixtures/idle.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [script])
  expect(stdout).toBe('done')
})

test('what a thread requires has no default export: to end the thread just then would end this process', async () => {
  const required = await import('../../src/executors/thread/worker.ts')
  expect(Object.keys(required)).toEqual(['serve'])
})

test.each([
  '--inspect-port 0',
  '--test-reporter spec --test-name-pattern=noop',
  '--test-name-pattern noop --conditions espalier-source',
])('threads and processes start in a program of Node’s options %s', async (options) => {
  const script = fileURLToPath(new URL('./fixtures/idle.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [...options.split(' '), script])
  expect(stdout).toBe('done')
})

test.each([
  [['-e', '1'], []],
  [['-p', '-e', '1', '--no-warnings'], ['--no-warnings']],
  [['--eval=\n1', '--print=1', '--input-type', 'module'], []],
  [
    ['--import', './a.js', '--inspect-brk=0', '--env-file', '.env', '--test'],
    ['--import', './a.js', '--env-file', '.env'],
  ],
  [
    ['--experimental-eventsource', '--inspect_port', '0', '-r', 'a'],
    ['--experimental-eventsource', '-r', 'a'],
  ],
])('of Node’s options %j a process hands on %j', (execArgv, handedOn) => {
  expect(inheritedOptions(execArgv)).toEqual(handedOn)
})
