import { checkBoolean, checkInteger, checkKeys, checkName, checkObject, checkPositive } from './check.ts'
import { EspalierError } from './errors.ts'
import { PRIORITIES, type Priority } from './priority.ts'
import { checkResources, type Resources } from './resources.ts'
import { type Backoff, checkBackoff } from './retry.ts'

/** Identifies a node within its tree: `n0` for the first root, then counted in the order of growth. */
export type NodeId = string

/** How the jobs of a node run: what the node says, or its handler's `defaults`, or else the pool. */
export interface JobSettings {
  /** Default `'normal'`. */
  readonly priority?: Priority
  /** The name of one of the pool's executors. */
  readonly executor?: string
  /** The longest an attempt may run, in ms. */
  readonly timeoutMs?: number
  /** Attempts after the first that errors or timeouts may cost. */
  readonly maxRetries?: number
  readonly backoff?: Backoff
  /** What an attempt holds while it runs, of what the pool's `limits` name. */
  readonly resources?: Resources
  /** The most memory an attempt may take, in bytes, where its executor can limit it. */
  readonly memoryLimitBytes?: number
  /**
   * Takes the value of a node of the same content, of this run or another of the same workflow in the store, instead of
   * running again: the same handler, `version`, input and values of what it waits for. Default `false`.
   */
  readonly cache?: boolean
  /** Of the handler: a value recorded under another version is not taken. Default: none. */
  readonly version?: string
}

/** What the workflow asks for when it grows a node. */
export interface NodeSpec extends JobSettings {
  /** The name of one of the workflow's handlers. */
  readonly handler: string
  /** The handler's first argument. */
  readonly input?: unknown
  /** What people read; default: the handler's name. */
  readonly label?: string
  /** A name within the tree: others may depend on it, and a second node of the same key is not grown. */
  readonly key?: string
  /** How promising the node is; `best-first` starts the highest. Default: its parent's score. */
  readonly score?: number
  /** Node ids or keys that must complete first, besides the parent; siblings of the same decision too. */
  readonly dependencies?: readonly string[]
}

/** What a revision may change: a node keeps its key and what it depends on, since others rely on them. */
export type NodePatch = Partial<Omit<NodeSpec, 'key' | 'dependencies'>>

/** A node to grow. */
export function node(spec: NodeSpec): NodeSpec {
  return spec
}

const SETTINGS = [
  'priority',
  'executor',
  'timeoutMs',
  'maxRetries',
  'backoff',
  'resources',
  'memoryLimitBytes',
  'cache',
  'version',
] as const satisfies readonly (keyof JobSettings)[]
const SETTING_NAMES: ReadonlySet<string> = new Set(SETTINGS)

const FIELDS = [
  'handler',
  'input',
  'label',
  'key',
  'score',
  'dependencies',
  ...SETTINGS,
] as const satisfies readonly (keyof NodeSpec)[]
const FIELD_NAMES: ReadonlySet<string> = new Set(FIELDS)
const PATCH_NAMES: ReadonlySet<string> = new Set(
  FIELDS.filter((name) => name !== 'key' && name !== 'dependencies'),
)

/**
 * Checks a node by itself: its form, its names and its texts. How its job is to run is checked with the job.
 *
 * @throws {EspalierError} `ESP_UNKNOWN_OPTION` or `ESP_INVALID_OPTION`.
 */
export function checkNode(spec: NodeSpec): void {
  if (typeof spec !== 'object' || spec === null || typeof spec.handler !== 'string') {
    refuse('node', 'an object with the name of a `handler`', spec)
  }
  checkKeys('a node', spec, FIELD_NAMES)
  const { label, key, dependencies } = spec
  if (label !== undefined && typeof label !== 'string') refuse('label', 'a string', label)
  if (key !== undefined) checkName('key', key)
  if (dependencies !== undefined) checkNames(dependencies)
}

/** @throws {EspalierError} `ESP_UNKNOWN_OPTION`, also for the fields that a revision cannot change. */
export function checkPatch(patch: NodePatch): void {
  checkKeys('a revision', patch, PATCH_NAMES)
}

/** @throws {EspalierError} `ESP_UNKNOWN_OPTION`, `ESP_INVALID_OPTION` or `ESP_UNKNOWN_PRIORITY`. */
export function checkSettings(name: string, settings: JobSettings): void {
  checkObject(name, settings)
  checkKeys(name, settings, SETTING_NAMES)
  const { priority, executor, timeoutMs, maxRetries, backoff, resources, memoryLimitBytes } = settings
  const { cache, version } = settings
  if (priority !== undefined && !PRIORITIES.includes(priority)) {
    refuse(`${name}.priority`, `one of ${PRIORITIES.join(', ')}`, priority)
  }
  if (executor !== undefined) checkName(`${name}.executor`, executor)
  if (timeoutMs !== undefined) checkPositive(`${name}.timeoutMs`, timeoutMs)
  if (maxRetries !== undefined) checkInteger(`${name}.maxRetries`, maxRetries)
  if (backoff !== undefined) checkBackoff(backoff, `${name}.backoff`)
  if (resources !== undefined) checkResources(`${name}.resources`, resources)
  if (memoryLimitBytes !== undefined) checkInteger(`${name}.memoryLimitBytes`, memoryLimitBytes, 1)
  if (cache !== undefined) checkBoolean(`${name}.cache`, cache)
  if (version !== undefined) checkName(`${name}.version`, version)
}

function checkNames(names: readonly string[]): void {
  const isList = Array.isArray(names)
  // Not `every`: a hole in the list is wrong too.
  for (const name of isList ? names : [names]) {
    if (!isList || typeof name !== 'string') refuse('dependencies', 'an array of node ids or keys', names)
  }
}

function refuse(option: string, expected: string, got: unknown): never {
  throw new EspalierError('ESP_INVALID_OPTION', { option, expected, got })
}
