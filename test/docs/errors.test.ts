import { type ErrorCode, EspalierError, errorCodes } from 'espalier'
import { describe, expect, test } from 'vitest'
import { blocks, documents, read } from './documents.ts'

/** The text of a code with `{name}` for each fact. */
function templateOf(code: ErrorCode): string {
  const lists = ['known', 'path', 'issues']
  const facts = new Proxy({} as Record<string, unknown>, {
    get: (_, name: string) =>
      ['todo', 'openJob'].includes(name) ? undefined : lists.includes(name) ? [`{${name}}`] : `{${name}}`,
  })
  const { message } = new EspalierError(code, facts as never)
  return message
    .slice(code.length + 2)
    .replaceAll('"{got}"', '{got}')
    .replaceAll("'{store}'", '{store}')
}

describe('docs/errors.md', () => {
  const sections = read('docs/errors.md').split(/^### /m).slice(1)
  const byCode = new Map(sections.map((text) => [text.slice(0, text.indexOf('\n')), text]))

  test('has a section for every code, in the order of the table, and no other', () => {
    expect([...byCode.keys()]).toEqual(errorCodes)
  })

  test.each(errorCodes)('tells the text of %s, and what to do', (code) => {
    const [shown = '', ...others] = blocks(byCode.get(code) ?? '', 'text')
    expect(others).toEqual([])
    expect(shown.replace(/\s+/g, ' ').trim()).toBe(templateOf(code).replace(/\s+/g, ' ').trim())
    const prose = byCode.get(code)?.split('```').at(-1)?.trim()
    expect(prose).toMatch(/^\S[\s\S]{20,}\.$/)
  })
})

test.each(documents)('%s names no code that does not exist', (file) => {
  const named = read(file).match(/\bESP_[A-Z]+(?:_[A-Z]+)*\b/g) ?? []
  expect(named.filter((code) => !(errorCodes as string[]).includes(code))).toEqual([])
})
