import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type AnyStateMachine, createMachine, fromPromise } from 'xstate'
import { charts, effectsIn, renderCharts, renderPages, statesOf } from '../../scripts/pages.ts'
import { root } from '../../scripts/tool.ts'

const read = (file: string) => readFileSync(join(root, file), 'utf8')

/** What the runtime, not XState, is to do: a chart that has it cannot be restored or checked exhaustively. */
function forbiddenIn(machine: AnyStateMachine, source: string): string[] {
  const found = statesOf(machine).flatMap((node) => [
    ...(node.invoke.length > 0 ? [`invoke in ${node.id}`] : []),
    ...(Object.keys(node.config.after ?? {}).length > 0 ? [`after in ${node.id}`] : []),
  ])
  const code = source.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
  const words = code.match(/\b(?:spawn\w*|stopChild|raise|sendTo|fromPromise|fromCallback)\b/g) ?? []
  return [...found, ...words]
}

const pages = [...renderPages(), ...(await renderCharts())]

describe('the pages of the charts', () => {
  test('are there for every chart', () => {
    const files = readdirSync(join(root, 'machines')).filter((file) => file.endsWith('.machine.ts'))
    expect(
      Object.keys(charts)
        .map((name) => `${name}.machine.ts`)
        .sort(),
    ).toEqual(files.sort())
  })

  test.each(pages.map(({ file, text }) => [file, text]))(
    '%s is up to date: `npm run pages`',
    (file, text) => {
      expect(read(file)).toBe(text)
    },
  )

  test.each(Object.keys(charts))('%s describes every effect that its chart asks for', (name) => {
    const machine = charts[name] as AnyStateMachine
    const page = read(`machines/${name}.md`)
    for (const effect of Object.keys(machine.implementations.actions))
      expect(page).toContain(`| \`${effect}\` |`)
  })
})

describe.each(Object.entries(charts))('the %s chart', (name, machine) => {
  test('describes every state in one line', () => {
    const without = statesOf(machine).filter(({ description }) => !/^[^\n]{5,120}\.$/.test(description ?? ''))
    expect(without.map(({ id }) => id)).toEqual([])
  })

  test('leaves waiting, calling and spawning to the runtime', () => {
    expect(forbiddenIn(machine, read(`machines/${name}.machine.ts`))).toEqual([])
  })
})

describe('the checks themselves', () => {
  test('find invoke, after and spawn', () => {
    const logic = fromPromise(async () => 1)
    const machine = createMachine({
      id: 'm',
      initial: 'a',
      states: { a: { invoke: { src: logic }, after: { 10: 'b' } }, b: {} },
    })
    const source = "// spawn\nconst child = spawn('x') // raise\n/* sendTo */ enqueue(spawnChild)"
    expect(forbiddenIn(machine, source)).toEqual(['invoke in m.a', 'after in m.a', 'spawn', 'spawnChild'])
  })

  test('find an effect without documentation, also below another’s', () => {
    const source =
      'setup({ actions: {\n  /** Does\n   * this. */\n  first: (_, _p: { at: number }) => {},\n  second: () => {} } })'
    expect(() => effectsIn('m.ts', source)).toThrow('"second"')
    const documented = source.replace('second', '/** That. */ second')
    expect(effectsIn('m.ts', documented)).toEqual([
      { name: 'first', params: '{ at: number }', meaning: 'Does this.' },
      { name: 'second', params: '', meaning: 'That.' },
    ])
  })
})
