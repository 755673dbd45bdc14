import { posix } from 'node:path'
import { parseSync } from 'oxc-parser'

/** What a room may import, beside its own files. */
interface Room {
  /** Other rooms, `runtime` for all rooms in it; `any` for all. */
  readonly rooms: readonly string[] | 'any'
  /** npm packages; `any` for all. XState's values are reserved to `machines` and `statechart` whatever this says. */
  readonly packages: readonly string[] | 'any'
  /** Refuses `node:` modules, clocks, timers and randomness. */
  readonly pure?: boolean
}

/** A room of the runtime. */
function runtime(...above: readonly string[]): Room {
  return {
    rooms: ['domain', 'machines', 'statechart', 'ports', ...above.map((room) => `runtime/${room}`)],
    packages: ['immer', 'nanoid', 'xstate', '@standard-schema/spec'],
  }
}

/** A room of the testing kit. */
function testing(...above: readonly string[]): Room {
  return {
    rooms: [
      ...['runtime', 'machines', 'ports', 'domain', 'statechart', 'diagram', 'protocol'],
      // Simulated processes die and leave a memory store behind.
      'stores',
      ...above.map((room) => `testing/${room}`),
    ],
    packages: 'any',
  }
}

/** A room of the server. */
function http(...above: readonly string[]): Room {
  return { rooms: ['domain', 'protocol', ...above], packages: 'any' }
}

const ADAPTER: Room = { rooms: ['domain', 'ports'], packages: 'any' }

/** The arrows of the architecture: every folder with sources has its line here. */
export const ROOMS: Readonly<Record<string, Room>> = {
  machines: { rooms: ['domain'], packages: ['xstate', 'immer'], pure: true },
  domain: { rooms: [], packages: [], pure: true },
  statechart: { rooms: [], packages: ['xstate'], pure: true },
  ports: { rooms: ['domain'], packages: [] },
  // The runtime's own rooms: each is seen only by those below it.
  'runtime/scheduling': runtime(),
  'runtime/events': runtime(),
  'runtime/charts': runtime(),
  'runtime/job': runtime('charts', 'scheduling'),
  'runtime/record': runtime('charts', 'job'),
  'runtime/pool': runtime('charts', 'events', 'job', 'record', 'scheduling'),
  'runtime/tree': runtime('charts', 'events', 'job', 'record', 'scheduling', 'pool'),
  // The bodies that are actors are run by what is in `statechart`.
  executors: { ...ADAPTER, rooms: [...ADAPTER.rooms, 'statechart'] },
  stores: ADAPTER,
  brokers: ADAPTER,
  runners: ADAPTER,
  resources: ADAPTER,
  telemetry: ADAPTER,
  config: { rooms: ['domain'], packages: 'any' },
  // What machines look like; the layout is the work of another thread.
  diagram: { rooms: ['statechart', 'protocol'], packages: ['elkjs', 'xstate'] },
  // Runs in the page too.
  protocol: { rooms: ['domain'], packages: [], pure: true },
  // The server's own rooms: each is seen only by those below it.
  'http/files': http(),
  'http/queries': http(),
  'http/exports': http('http/files'),
  'http/server': http('http/files', 'http/queries', 'http/exports'),
  'http/notes': http('machines', 'runtime'),
  'http/feed': http('runtime', 'diagram', 'http/files', 'http/queries', 'http/server', 'http/notes'),
  'http/actors': http('runtime', 'http/notes', 'http/feed'),
  'http/recordings': http(
    'runtime',
    'http/files',
    'http/queries',
    'http/exports',
    'http/server',
    'http/notes',
  ),
  http: http('runtime', 'http'),
  cli: { rooms: ['index', 'http', 'protocol', 'testing'], packages: 'any' },
  testing: testing('contracts', 'model', 'invariants', 'world', 'search'),
  'testing/contracts': testing(),
  'testing/model': testing(),
  'testing/invariants': testing('model'),
  'testing/world': testing('model', 'invariants'),
  'testing/search': testing('model', 'invariants', 'world'),
  // Where the runtime meets its adapters: only these two files see both.
  compose: { rooms: ['runtime', 'domain', 'executors', 'resources', 'sqlite-store'], packages: [] },
  // The store, with the charts that bring its rows up to its journal.
  'sqlite-store': { rooms: ['runtime', 'ports', 'stores'], packages: [] },
  index: { rooms: 'any', packages: 'any' },
  inspector: { rooms: ['protocol'], packages: 'any' },
  // Examples use the package by its name, as any user does.
  examples: { rooms: [], packages: 'any' },
}

/** Only these import XState's values, so that a new major of it touches nothing else; types are free. */
const XSTATE_ROOMS = ['machines', 'statechart', 'index', 'examples', 'inspector']

/** A violation that is allowed, and why. One that matches nothing any more is a violation itself. */
export interface Exception {
  readonly file: string
  /** The import's specifier, or the name used. */
  readonly what: string
  readonly reason: string
}

/**
 * Checks source files against {@link ROOMS}.
 *
 * @param files - Path from the package's folder, with `/` → source text.
 * @returns One line per violation: `file:line why`. Empty when all is well.
 */
export function checkArchitecture(
  files: Readonly<Record<string, string>>,
  exceptions: readonly Exception[] = [],
): string[] {
  const unused = new Set(exceptions)
  const violations: string[] = []
  for (const [file, source] of Object.entries(files)) {
    const room = roomOf(file)
    const rules = ROOMS[room]
    if (rules === undefined) {
      violations.push(`${file}:1 is in no room: add "${room}" to the rooms of test/architecture.ts`)
      continue
    }
    const { uses, errors } = read(file, source)
    for (const error of errors) violations.push(`${file}:1 cannot be parsed: ${error}`)
    for (const use of uses) {
      const why = use.kind === 'name' ? rules.pure && `uses ${use.what}` : refusal(file, room, rules, use)
      if (!why) continue
      const exception = exceptions.find((each) => each.file === file && each.what === use.what)
      if (exception) unused.delete(exception)
      else violations.push(`${file}:${use.line} ${why}`)
    }
  }
  for (const { file, what } of unused)
    violations.push(`${file}:1 needs no exception for ${what} any more: remove it`)
  return violations
}

/**
 * `src/domain/job.ts` → `domain`, `src/runtime/pool/slots.ts` → `runtime/pool`, `src/index.ts` → `index`,
 * `machines/job.machine.ts` → `machines`.
 */
function roomOf(path: string): string {
  const [top = '', second = '', third = ''] = path.split('/')
  if (top !== 'src') return top
  const inner = `${second}/${third}`
  return inner in ROOMS ? inner : second.replace(/\.[^.]+$/, '')
}

/** Why a room may not import this, or `undefined` when it may. */
function refusal(file: string, room: string, rules: Room, use: Use): string | undefined {
  const { what } = use
  const says = `imports ${what}:`
  if (use.kind === 'computed')
    return rules.pure ? `${says} ${room} imports by literal specifiers only` : undefined
  if (what.startsWith('.')) {
    const target = posix.join(posix.dirname(file), what)
    const targetRoom = roomOf(target)
    if (targetRoom === room) return
    if (ROOMS[targetRoom] === undefined) return `${says} ${target} is in no room`
    if (
      rules.rooms !== 'any' &&
      !rules.rooms.some((each) => each === targetRoom || targetRoom.startsWith(`${each}/`))
    )
      return `${says} ${room} may import ${rules.rooms.join(', ') || 'no other room'}, but not ${targetRoom}`
    return
  }
  if (what.startsWith('node:')) return rules.pure ? `${says} ${room} uses no module of Node` : undefined
  const name = what.split('/', what.startsWith('@') ? 2 : 1).join('/')
  if (name === 'espalier' && room !== 'examples') return `${says} inside the package, import by relative path`
  if (rules.packages !== 'any' && !rules.packages.includes(name))
    return `${says} ${room} may import ${rules.packages.join(', ') || 'no package'}, but not ${name}`
  if (name === 'xstate' && !use.typeOnly && !XSTATE_ROOMS.includes(room))
    return `${says} only machines and statechart use XState's values; import types, or go through statechart`
  return
}

/** Something a file imports or, for the pure rooms, names. */
interface Use {
  readonly kind: 'import' | 'computed' | 'name'
  readonly what: string
  readonly line: number
  readonly typeOnly: boolean
}

interface SyntaxNode {
  readonly type: string
  readonly start: number
  readonly [key: string]: unknown
}

/** Globals by which code can tell two runs apart, or act later. */
const IMPURE = new Set(
  `Date performance Temporal setTimeout setInterval setImmediate queueMicrotask crypto process require
   globalThis global fetch`.split(/\s+/),
)
/** Globals that are impure only by one member. */
const IMPURE_MEMBER: Readonly<Record<string, string>> = {
  Math: 'random',
  AbortSignal: 'timeout',
  Atomics: 'wait',
}

/** Collects imports of every form, and references to impure globals; comments, strings, keys and types name nothing. */
function read(file: string, source: string): { uses: Use[]; errors: string[] } {
  const { program, errors } = parseSync(file, source)
  const uses: Use[] = []
  const add = (kind: Use['kind'], what: string, node: SyntaxNode, typeOnly = false) =>
    uses.push({ kind, what, typeOnly, line: source.slice(0, node.start).split('\n').length })

  const visit = (node: SyntaxNode, inType: boolean): void => {
    const isType = inType || isTypeSyntax(node.type)
    const skipped = new Set<unknown>()
    switch (node.type) {
      case 'ImportDeclaration':
        add('import', literal(node.source), node, node.importKind === 'type')
        return
      case 'ExportAllDeclaration':
        add('import', literal(node.source), node, node.exportKind === 'type')
        return
      case 'ExportNamedDeclaration':
        if (node.source) {
          add('import', literal(node.source), node, node.exportKind === 'type')
          return
        }
        break
      case 'TSExternalModuleReference':
        add('import', literal(node.expression), node)
        return
      case 'TSImportType':
        add('import', literal(node.source), node, true)
        break
      case 'ImportExpression': {
        const what = literal(node.source)
        add(what === '' ? 'computed' : 'import', what || 'a computed module', node)
        break
      }
      case 'MemberExpression': {
        const object = node.object as SyntaxNode
        const member = node.computed ? undefined : ((node.property as SyntaxNode).name as string)
        if (!node.computed) skipped.add(node.property)
        const impure = object.type === 'Identifier' ? IMPURE_MEMBER[object.name as string] : undefined
        if (impure !== undefined) {
          skipped.add(object)
          if (member === undefined || member === impure) add('name', `${object.name}.${impure}`, node)
        }
        break
      }
      case 'BinaryExpression':
        if (node.operator === 'instanceof') skipped.add(node.right)
        break
      case 'ExportSpecifier':
        skipped.add(node.exported)
        break
      case 'Identifier': {
        const name = node.name as string
        if (isType) return
        if (IMPURE.has(name)) add('name', name, node)
        else if (Object.hasOwn(IMPURE_MEMBER, name)) add('name', `${name}.${IMPURE_MEMBER[name]}`, node)
        break
      }
    }
    if ('key' in node && !node.computed) skipped.add(node.key)
    for (const child of Object.values(node)) {
      if (skipped.has(child)) continue
      for (const each of Array.isArray(child) ? child : [child]) if (isNode(each)) visit(each, isType)
    }
  }
  visit(program as unknown as SyntaxNode, false)
  return { uses, errors: errors.map((error) => error.message) }
}

/** TypeScript's nodes are types, but for those that wrap an expression. */
function isTypeSyntax(type: string): boolean {
  return (
    type.startsWith('TS') &&
    !/^TS(As|Satisfies|NonNull|Instantiation|TypeAssertion|Export|ParameterProp)/.test(type)
  )
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && typeof (value as SyntaxNode).type === 'string'
}

function literal(node: unknown): string {
  const value = isNode(node) ? node.value : undefined
  return typeof value === 'string' ? value : ''
}
