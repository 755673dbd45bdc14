import { defineWorkflow, isEspalierError, JobPool } from 'espalier'
import { describe, expect, test } from 'vitest'
import { DEFAULT_LIMITS } from '../../src/domain/limits.ts'
import { blocks, documents, read, runCode } from './documents.ts'

const page = read('docs/api.md')

/** The section below a heading, up to the next one. */
function below(heading: string): string {
  const found = page.split(/^## /m).find((text) => text.startsWith(`${heading}\n`))
  if (found === undefined) throw new Error(`Expected the heading "## ${heading}" in docs/api.md, got none.`)
  return found
}

/** The names in code in the first cells of a section's tables. */
const namesBelow = (heading: string) =>
  below(heading)
    .split('\n')
    .flatMap((line) => /^\| (`[^|]+`) \|/.exec(line)?.[1] ?? [])
    .flatMap((cell) => [...cell.matchAll(/`([\w.]+)(?:\(\w+\))?`/g)].map(([, name]) => name as string))

/** The names that an error lists as the known ones. */
function namesIn(act: () => unknown): string[] {
  try {
    act()
  } catch (error) {
    if (isEspalierError(error, 'ESP_UNKNOWN_OPTION')) return [...error.details.known]
    throw error
  }
  throw new Error('Expected an unknown name to be refused, but it was taken.')
}

const eventsOf = (file: string) =>
  [...read(file).matchAll(/^ {2}'([\w.]+)':/gm)].map(([, name]) => name as string)

describe('docs/api.md', () => {
  const unknown = { unknown: 1 } as never

  test('has every option of a pool, and no other', () => {
    expect(namesBelow('`new JobPool(options)`').sort()).toEqual(namesIn(() => new JobPool(unknown)).sort())
  })

  test('has every field of a job, and no other', () => {
    const pool = new JobPool()
    expect(namesBelow('A job: `submitJob(spec)`').sort()).toEqual(
      namesIn(() => pool.submitJob(unknown)).sort(),
    )
  })

  test('has every part of a workflow, and no other', () => {
    const whole = { name: 'w', handlers: {}, root: () => [], unknown: 1 }
    const limits = Object.keys(DEFAULT_LIMITS)
    const decisions = ['grow', 'stop', 'revise', 'prune', 'satisfy']
    const parts = namesBelow('Workflows').filter((name) => ![...limits, ...decisions].includes(name))
    expect(parts.sort()).toEqual(namesIn(() => defineWorkflow(whole)).sort())
  })

  test.each([
    ['Events of a pool', 'src/runtime/events/events.ts'],
    ['Events of a run', 'src/runtime/events/run-events.ts'],
  ])('has the %s, in their order', (heading, file) => {
    expect(namesBelow(heading)).toEqual(eventsOf(file))
  })

  test.each(Object.entries(DEFAULT_LIMITS))('has the limit %s with its default', (limit, value) => {
    const shown = value === undefined ? 'none' : value.toLocaleString('en')
    expect(below('Workflows')).toContain(`| \`${limit}\` | ${shown} |`)
  })
})

describe('docs/statecharts.md', () => {
  const examples = blocks(read('docs/statecharts.md'), 'ts')

  test('has examples that run', async () => {
    const printed = await Promise.all(examples.map(runCode))
    expect(printed[0]).toBe('on\n')
    expect(printed[1]).toMatch(/^x:\d+ attempt\.completed$/m)
  })
})

test('links to headings that exist', () => {
  const slug = (heading: string) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-')
  for (const file of documents) {
    for (const [, target, anchor] of read(file).matchAll(/\]\(([\w./-]*\.md)?#([\w-]+)\)/g)) {
      const folder = file.includes('/') ? file.slice(0, file.lastIndexOf('/') + 1) : ''
      const text = read(target === undefined ? file : folder + target)
      const slugs = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => slug(heading as string))
      expect(slugs, `${file} → ${target ?? ''}#${anchor}`).toContain(anchor)
    }
  }
})
