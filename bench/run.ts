// `npm run bench -- core` or another suite: prints a table, or with `--json` one document; exits 1 when a bar is missed.
import { parseArgs } from 'node:util'
import { core } from './core.ts'
import { executors } from './executors.ts'
import { exploration } from './explore.ts'
import { page } from './inspector/page.ts'
import { inspector } from './inspector.ts'
import { store } from './store.ts'
import type { Row } from './suite.ts'

const suites: Readonly<Record<string, (progress: (what: string) => void) => Promise<Row[]>>> = {
  core,
  executors,
  explore: exploration,
  // The server, then the page.
  inspector: async (progress) => [...(await inspector(progress)), ...(await page(progress))],
  store,
}

const { values, positionals } = parseArgs({ options: { json: { type: 'boolean' } }, allowPositionals: true })
const [name = 'core'] = positionals
const suite = suites[name]
if (suite === undefined) {
  console.error(`Expected a suite out of ${Object.keys(suites).join(', ')}, but got "${name}".`)
  process.exit(2)
}

const rows = await suite((what) => console.error(`… ${what}`))
if (values.json) {
  const results = rows.map(({ id, ours, peer, ratio, bar, holds }) => ({ id, ours, peer, ratio, bar, holds }))
  console.log(JSON.stringify({ results }, undefined, 2))
} else {
  for (const line of table(rows)) console.log(line)
}
if (rows.some(({ holds }) => !holds)) process.exitCode = 1

function table(measured: readonly Row[]): string[] {
  const cells = measured.map(({ what, ours, peer, unit, ratio, bar, isCeiling, holds }) => [
    what,
    `${figure(ours)} ${unit}`,
    `${figure(peer)} ${unit}`,
    ratio.toFixed(2),
    bar === undefined ? '' : `${isCeiling ? '≤' : '≥'} ${bar}`,
    bar === undefined ? '' : holds ? 'holds' : 'MISSED',
  ])
  const head = ['work', 'ours', 'peer', 'ratio', 'bar', '']
  const widths = head.map((_, column) =>
    Math.max(...[head, ...cells].map((row) => (row[column] ?? '').length)),
  )
  return [head, widths.map((width) => '-'.repeat(width)), ...cells].map(
    (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`,
  )
}

function figure(value: number): string {
  return value >= 1000 ? Math.round(value).toLocaleString('en') : value.toPrecision(3)
}
