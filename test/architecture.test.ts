import { globSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { checkArchitecture, type Exception, ROOMS } from './architecture.ts'

/** Every exception to the arrows of `architecture.ts`, with its reason. */
const EXCEPTIONS: readonly Exception[] = [
  {
    file: 'src/domain/workflow.ts',
    what: '@standard-schema/spec',
    reason: 'Types only, no code: the interface by which zod, valibot and others describe an input.',
  },
  {
    file: 'src/cli/suggestion.ts',
    what: '../domain/suggest.ts',
    reason: 'The same rule for what was meant as in error texts, and no part of the public API.',
  },
  {
    file: 'src/cli/store.ts',
    what: '../domain/shell-word.ts',
    reason: 'Commands to copy are written as in error texts, and no part of the public API.',
  },
  ...['src/cli/run.ts', 'src/cli/upkeep.ts'].map((file) => ({
    file,
    what: '../compose.ts',
    reason: 'A pool of one run, and one that only cancels it, are no part of the public API.',
  })),
  ...['src/cli/runs.ts', 'src/cli/stored-run.ts'].map((file) => ({
    file,
    what: '../domain/stored-json.ts',
    reason:
      'What a store has is read, and refused when it is damaged, as the runtime does; no part of the public API.',
  })),
]

const root = join(import.meta.dirname, '..')

describe('the sources', () => {
  const paths = globSync('{src,machines,examples,inspector}/**/*.{ts,tsx,mts,cts,js,jsx,mjs,cjs}', {
    cwd: root,
    exclude: ['**/node_modules/**', '**/dist/**'],
  }).map((path) => path.replaceAll('\\', '/'))

  test('respect the rooms and the direction of imports', () => {
    const files = Object.fromEntries(paths.map((path) => [path, readFileSync(join(root, path), 'utf8')]))
    expect(checkArchitecture(files, EXCEPTIONS)).toEqual([])
  })

  test('are really read', () => {
    expect(paths).toContain('machines/job.machine.ts')
    expect(paths).toContain('src/domain/job.ts')
  })
})

test('the top level of the repository holds only what everybody knows', () => {
  const allowed = new Set([
    ...['src', 'machines', 'test', 'inspector', 'bench', 'docs', 'examples', 'scripts', '.ci'],
    ...['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json', 'vitest.config.ts'],
    ...['biome.json', 'knip.json', '.gitignore', '.gitattributes', '.npmrc'],
    ...['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'LICENSE'],
    // Never committed.
    ...['.git', 'node_modules', 'dist', 'coverage', 'results', '.vscode', '.idea', '.DS_Store'],
  ])
  expect(readdirSync(root).filter((entry) => !allowed.has(entry) && !entry.endsWith('.log'))).toEqual([])
})

describe('the checker', () => {
  const violations = (file: string, source: string) => checkArchitecture({ [file]: source })

  test.each([
    ['src/domain/a.ts', `import { x } from '../runtime/pool/x.ts'`],
    ['src/domain/a.ts', `import type { X } from '../runtime/pool/x.ts'`],
    ['src/domain/a.ts', `export * from '../statechart/index.ts'`],
    ['src/domain/a.ts', `export { x } from '../ports/x.ts'`],
    ['src/domain/a.ts', `export type X = import('../ports/x.ts').X`],
    ['src/domain/a.ts', `export const x = () => import('../ports/x.ts')`],
    ['src/domain/a.ts', `import x = require('immer')`],
    ['src/domain/a.ts', `import 'immer'`],
    ['src/domain/a.ts', `import type { X } from 'xstate'`],
    ['src/domain/a.ts', `import { x } from '../index.ts'`],
    ['src/domain/a.ts', `export const x = (name: string) => import(name)`],
    ['machines/a.machine.ts', `import { x } from '../src/runtime/pool/x.ts'`],
    ['machines/a.machine.ts', `import { x } from '../src/statechart/index.ts'`],
    ['machines/a.machine.ts', `import { nanoid } from 'nanoid'`],
    ['src/statechart/a.ts', `import type { X } from '../domain/x.ts'`],
    ['src/statechart/a.ts', `import { produce } from 'immer'`],
    ['src/ports/a.ts', `import type { X } from '../runtime/pool/x.ts'`],
    ['src/runtime/pool/a.ts', `import { createActor } from 'xstate'`],
    ['src/runtime/pool/a.ts', `import { type ActorRef } from 'xstate'`],
    ['src/runtime/pool/a.ts', `import { x } from '../../executors/x.ts'`],
    ['src/runtime/pool/a.ts', `import { x } from '../tree/x.ts'`],
    ['src/runtime/a.ts', `import { x } from './pool/x.ts'`],
    ['src/runtime/pool/a.ts', `import { z } from 'zod'`],
    ['src/runtime/pool/a.ts', `import { JobPool } from 'espalier'`],
    ['src/executors/a.ts', `import { x } from '../runtime/pool/x.ts'`],
    ['src/executors/a.ts', `import { x } from '../stores/x.ts'`],
    ['src/stores/a.ts', `import type { X } from '../brokers/x.ts'`],
    ['src/testing/world/a.ts', `import { x } from '../search/x.ts'`],
    ['src/testing/a.ts', `import { x } from '../brokers/x.ts'`],
    ['src/testing/a.ts', `import { createActor } from 'xstate/actors'`],
    ['src/config/a.ts', `import { x } from '../ports/x.ts'`],
    ['src/protocol/a.ts', `import { x } from '../ports/x.ts'`],
    ['src/http/a.ts', `import { x } from '../stores/x.ts'`],
    ['src/cli/a.ts', `import { x } from '../runtime/pool/x.ts'`],
    ['src/cli/launcher.js', `import('../runtime/pool/x.ts')`],
    ['examples/a/workflow.ts', `import { x } from '../../src/index.ts'`],
    ['src/protocol/a.ts', `import { z } from 'zod'`],
    ['inspector/a.tsx', `import type { X } from '../src/runtime/pool/x.ts'`],
    ['inspector/a.tsx', `import { x } from '../src/statechart/x.ts'; export const A = () => <b>{x}</b>`],
    ['src/novel/a.ts', ''],
    ['src/novel.ts', ''],
    ['src/runtime/pool/a.ts', `import { x } from '../../../test/x.ts'`],
    ['src/domain/a.ts', `import {`],
  ])('refuses %s: %s', (file, source) => {
    expect(violations(file, source)).toHaveLength(1)
  })

  test.each([
    `export const x = Date.now()`,
    `export const x = new Date()`,
    `export const now = Date`,
    `export const x = performance.now()`,
    `setTimeout(() => {}, 1)`,
    `setInterval(() => {}, 1)`,
    `setImmediate(() => {})`,
    `queueMicrotask(() => {})`,
    `export const x = Math.random()`,
    `export const x = Math['random']()`,
    `export const { random } = Math`,
    `export const x = crypto.randomUUID()`,
    `export const x = { crypto }`,
    `export const x = process.env`,
    `export const x = globalThis['Da' + 'te']`,
    `export const x = AbortSignal.timeout(1)`,
    `export const x = (setTimeout as unknown as () => void)!()`,
    `export class A { at = Date.now() }`,
    `export const x = \`\${Date.now()}\``,
    `export { process }`,
    `import { x } from 'node:fs'`,
    `import type { X } from 'node:fs'`,
  ])('keeps domain, machines, statechart and protocol pure: %s', (source) => {
    for (const file of [
      'src/domain/a.ts',
      'machines/a.machine.ts',
      'src/statechart/a.ts',
      'src/protocol/a.ts',
    ])
      expect(violations(file, source)).toHaveLength(1)
    expect(violations('src/executors/a.ts', source)).toEqual([])
  })

  test.each([
    ['src/domain/a.ts', `import { x } from './x.ts'; import type { Y } from '../domain/sub/y.ts'`],
    ['src/domain/a.ts', `// Date.now()\n/* setTimeout */ export const x = 'Math.random() import("immer")'`],
    [
      'src/domain/a.ts',
      `export const x = { process: 1, setTimeout() {} }; export const y = x.process + Math.max(1)`,
    ],
    ['src/domain/a.ts', `export type X = { process: 'thread' | 'process'; at: Date; p: typeof process }`],
    ['src/domain/a.ts', `export interface X { now(performance: number): Date }`],
    ['src/domain/a.ts', `export const isDate = (x: unknown): x is Date => x instanceof Date`],
    ['src/domain/a.ts', `export class A { static process = 1; get crypto() { return A.process } }`],
    ['machines/a.machine.ts', `import { setup } from 'xstate'; import { produce } from 'immer'`],
    ['machines/a.machine.ts', `import type { JobId } from '../src/domain/job.ts'`],
    ['src/statechart/a.ts', `import { createActor } from 'xstate'; import type { X } from 'xstate/actors'`],
    [
      'src/runtime/pool/a.ts',
      `import type { ActorRef } from 'xstate'; import { nanoid } from 'nanoid'; Date.now()`,
    ],
    [
      'src/runtime/pool/a.ts',
      `import { x } from '../../../machines/index.ts'; import { y } from '../../statechart/index.ts'`,
    ],
    [
      'src/executors/a.ts',
      `import { Piscina } from 'piscina'; import type { X } from '../ports/executor.ts'`,
    ],
    [
      'src/cli/a.ts',
      `import { x } from '../index.ts'; import { y } from './y.ts'; import { Command } from 'commander'`,
    ],
    ['src/index.ts', `export { createMachine } from 'xstate'; export { x } from './executors/x.ts'`],
    [
      'examples/a/workflow.ts',
      `import { node } from 'espalier'; import { x } from './x.ts'; import { z } from 'zod'`,
    ],
    ['inspector/a.tsx', `import { x } from '../src/protocol/x.ts'; export const A = () => <b>{x}</b>`],
  ])('accepts %s: %s', (file, source) => {
    expect(violations(file, source)).toEqual([])
  })

  test('tells the file, the line and what is allowed', () => {
    expect(violations('src/stores/a.ts', `\n\nimport { x } from '../brokers/x.ts'`)).toEqual([
      'src/stores/a.ts:3 imports ../brokers/x.ts: stores may import domain, ports, but not brokers',
    ])
  })

  test('accepts an exception while it is needed, and only then', () => {
    const exceptions = [{ file: 'src/domain/a.ts', what: 'Date', reason: 'a test' }]
    expect(checkArchitecture({ 'src/domain/a.ts': 'Date.now()' }, exceptions)).toEqual([])
    expect(checkArchitecture({ 'src/domain/b.ts': 'Date.now()' }, exceptions)).toEqual([
      'src/domain/b.ts:1 uses Date',
      'src/domain/a.ts:1 needs no exception for Date any more: remove it',
    ])
  })

  test('has a line for every room it names', () => {
    const known = Object.keys(ROOMS).flatMap((room) => [room, room.replace(/\/.*/, '')])
    for (const { rooms } of Object.values(ROOMS))
      if (rooms !== 'any') for (const room of rooms) expect(known).toContain(room)
  })
})
