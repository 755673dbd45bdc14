import { type Executor, JobPool } from 'espalier'
import { createCommandExecutor } from 'espalier/executors/command'
import { createProcessExecutor } from 'espalier/executors/process'
import { createThreadExecutor } from 'espalier/executors/thread'
import { describe, expect, test } from 'vitest'

type Create = (options: never) => unknown

const invalid = (option: string) =>
  expect.objectContaining({ code: 'ESP_INVALID_OPTION', details: expect.objectContaining({ option }) })

const workers: readonly [string, Create][] = [
  ['createThreadExecutor', createThreadExecutor],
  ['createProcessExecutor', createProcessExecutor],
]
const all: readonly [string, Create][] = [...workers, ['createCommandExecutor', createCommandExecutor]]

describe.each(all)('%s', (_, create) => {
  test.each([[null], [['a']], [[]], [new Map()], [5], ['fast']])('refuses %o as its options', (options) => {
    expect(() => create(options as never)).toThrow(invalid('options'))
  })

  test('takes none, and those that are undefined', () => {
    const options =
      create === createCommandExecutor
        ? { inheritEnv: undefined, resultBytesMax: undefined }
        : { name: undefined, env: undefined, execArgv: undefined }
    expect(create(options as never)).toEqual(create(undefined as never))
  })
})

describe.each(workers)('%s refuses', (_, create) => {
  test.each([
    ['name', 5],
    ['name', ''],
    ['name', null],
    ['name', 'x'.repeat(201)],
    ['env', null],
    ['env', 'A=1'],
    ['env', ['A=1']],
    ['env', new Map([['A', '1']])],
    ['env.PORT', { PORT: 3000 }],
    ['env.A', { A: null }],
    ['env.A', { A: '\0' }],
    ['env', { 'A=B': '1' }],
    ['env', { '': '1' }],
    ['execArgv', '--x'],
    ['execArgv', null],
    ['execArgv', { 0: '--x' }],
    ['execArgv', [5]],
    ['execArgv', ['--x\0']],
    // biome-ignore lint/suspicious/noSparseArray: a hole is what is wrong.
    ['execArgv', ['--x', ,]],
  ])('%s: %o', (option, value) => {
    const [name = ''] = option.split('.')
    expect(() => create({ [name]: value } as never)).toThrow(invalid(option))
  })

  test('a variable without telling the others', () => {
    const env = { TOKEN: 'secret', PORT: 3000 }
    expect(() => create({ env } as never)).toThrow(
      /^(?!.*secret).*"env.PORT" must be a string without NUL, but is 3000/,
    )
  })

  test('an option that nobody reads, with what was meant', () => {
    expect(() => create({ nope: 1 } as never)).toThrow(/^ESP_UNKNOWN_OPTION.*\(name, env, execArgv\)/)
    expect(() => create({ execArgs: [] } as never)).toThrow(/ESP_UNKNOWN_OPTION.*Did you mean "execArgv"\?/)
  })
})

test.each(workers)('%s takes the environment of this process', (_, create) => {
  expect(create({ name: 'own', env: process.env, execArgv: [] } as never)).toHaveProperty('name', 'own')
  expect(create({ env: { ...process.env, A: undefined } } as never)).toHaveProperty('name')
})

test.each(workers)('%s leaves variables out that are undefined', async (_, create) => {
  await using pool = new JobPool({
    executorType: create({ env: { MINE: '1', OTHER: undefined } } as never) as Executor,
  })
  const module = new URL('./fixtures/faults.ts', import.meta.url).href
  const value = (name: string) =>
    pool.submitJob({ execute: { module, export: 'variable' }, args: [name] }).value()
  expect([await value('MINE'), await value('OTHER')]).toEqual(['1', undefined])
})

describe('createCommandExecutor refuses', () => {
  test.each([
    ['inheritEnv', 'PATH'],
    ['inheritEnv', null],
    ['inheritEnv', new Set(['PATH'])],
    ['inheritEnv', [5]],
    ['inheritEnv', ['']],
    ['inheritEnv', ['PATH=/bin']],
    ['inheritEnv', ['PATH\0']],
    // biome-ignore lint/suspicious/noSparseArray: a hole is what is wrong.
    ['inheritEnv', ['PATH', ,]],
    ['resultBytesMax', -1],
    ['resultBytesMax', 0],
    ['resultBytesMax', 1.5],
    ['resultBytesMax', Number.NaN],
    ['resultBytesMax', Number.POSITIVE_INFINITY],
    ['resultBytesMax', '5'],
    ['resultBytesMax', null],
  ])('%s: %o', (option, value) => {
    expect(() => createCommandExecutor({ [option]: value } as never)).toThrow(invalid(option))
  })

  test('an option that nobody reads, with what was meant', () => {
    expect(() => createCommandExecutor({ inheritENV: ['PATH'] } as never)).toThrow(
      /^ESP_UNKNOWN_OPTION.*the command executor \(inheritEnv, resultBytesMax\).*Did you mean "inheritEnv"\?/,
    )
  })
})
