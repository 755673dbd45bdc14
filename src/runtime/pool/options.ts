import { type AutoLimit, autoLimit } from '../../domain/capacity.ts'
import {
  checkBoolean,
  checkDuration,
  checkInteger,
  checkKeys,
  checkMethods,
  checkObject,
  checkPositive,
} from '../../domain/check.ts'
import { EspalierError } from '../../domain/errors.ts'
import { isExecute, type JobPolicy } from '../../domain/job.ts'
import { type Keep, type ResolvedKeep, resolveKeep } from '../../domain/keep.ts'
import { type PressureOptions, type PressureRule, resolvePressure } from '../../domain/pressure.ts'
import { ResourceLimits, type Resources } from '../../domain/resources.ts'
import { type Backoff, checkBackoff } from '../../domain/retry.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Executor } from '../../ports/executor.ts'
import type { Host } from '../../ports/host.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Ids, Random } from '../../ports/random.ts'
import type { RunStore } from '../../ports/run-store.ts'
import type { Inspection } from '../../statechart/index.ts'
import type { Handlers } from '../record/durable-spec.ts'
import { systemClock, systemIds, systemRandom } from './system.ts'

/** What `new JobPool()` takes. Everything has a default. */
export interface JobPoolOptions {
  /** How many attempts may run at a time; `'auto'`: what cores, memory and container allow. Default 3. */
  readonly maxParallelJobs?: number | 'auto'
  /**
   * What all running jobs together may hold of what they declare as `resources`, such as `{ gpu: 1, api: 4 }`.
   *
   * Default: of `cpus` and `memoryBytes` what the machine or the container has, and of nothing else anything.
   */
  readonly limits?: Resources
  /**
   * When the machine is under pressure, and jobs start one at a time; `false`: never.
   *
   * Default: above 90 % of the memory. Off by default for a pool with a `clock` of its own and no `host`.
   */
  readonly pressure?: PressureOptions | false
  /** How attempts run, unless a job says otherwise. Default `'async'`. */
  readonly executorType?: string | Executor
  /** More executors that jobs may name; one replaces the built-in of its name. They end with the pool. */
  readonly executors?: readonly Executor[]
  /** Whether jobs' callbacks are called. Default `true`. */
  readonly enableCallbacks?: boolean
  /** How long a callback may take, in ms. Default 30,000. */
  readonly callbackTimeoutMs?: number
  /** How long an attempt may run, in ms, at any length. Default 300,000. */
  readonly timeoutMs?: number
  /** How long an attempt may take to end after it was asked to, in ms. Default 2,000. */
  readonly killGraceMs?: number
  /** The most memory an attempt may take, where its executor can limit that. Default: none. */
  readonly memoryLimitBytes?: number
  /** How many more attempts errors and timeouts may cost a job. Default 0. */
  readonly maxRetries?: number
  /** How often an attempt of a job may be lost with what ran it. Default 3. */
  readonly maxLost?: number
  /** Default: exponential from 1,000 ms, jitter 0.2. */
  readonly backoff?: Backoff
  /** Moves a ready job up one priority after each `afterMs` it has waited. Default: none. */
  readonly ageing?: { readonly afterMs: number }
  /** Frees the slot of an attempt that ignores its signal for longer than `killGraceMs`. Default `false`. */
  readonly releaseZombies?: boolean
  /** How long ended jobs stay known. A number is a count for each outcome. */
  readonly keep?: Keep
  /** Receives XState's inspection events of the pool and every job. */
  readonly inspect?: Inspection
  /** Default: warnings and errors go to the console. */
  readonly logger?: Logger
  /** When it aborts, the pool shuts down without waiting. */
  readonly signal?: AbortSignal
  /** What jobs may name as `execute`. */
  readonly handlers?: Handlers
  /** Keeps jobs and runs durably: a `RunStore`, or the path of an SQLite file. Default: none; they end with the process. */
  readonly store?: RunStore | string
  readonly clock?: Clock
  readonly random?: Random
  readonly ids?: Ids
  /** What tells of cores, memory and pressure. Default: this machine. */
  readonly host?: Host
}

/** The options of a pool, checked and complete. */
export interface PoolSettings {
  readonly maxParallelJobs: number
  /** How `maxParallelJobs` was worked out, if it was. */
  readonly autoLimit: AutoLimit | undefined
  readonly limits: ResourceLimits
  readonly pressure: PressureRule | undefined
  readonly executor: string | Executor
  readonly executors: readonly Executor[]
  readonly memoryLimitBytes: number | undefined
  readonly enableCallbacks: boolean
  readonly callbackTimeoutMs: number
  readonly policy: JobPolicy
  readonly promoteAfterMs: number
  readonly releaseZombies: boolean
  readonly keep: ResolvedKeep
  readonly inspect: Inspection | undefined
  readonly logger: Logger
  readonly signal: AbortSignal | undefined
  readonly handlers: Handlers
  readonly store: RunStore | undefined
  /** Whether the store was opened for this pool. */
  readonly closesStore: boolean
  readonly clock: Clock
  readonly random: Random
  readonly ids: Ids
  readonly host: Host
}

const DEFAULT_BACKOFF: Backoff = { type: 'exponential', delayMs: 1_000, jitter: 0.2 }
const DEFAULT_KEEP_COUNT = 100_000

/**
 * @param systemHost - The machine, for pools that name no `host`.
 * @param openStore - Opens a store that is given as a path.
 * @throws {EspalierError} `ESP_INVALID_OPTION`, naming the option; what opening the store throws.
 */
export function resolveOptions(
  options: JobPoolOptions,
  systemHost: Host,
  openStore: (file: string) => RunStore,
): PoolSettings {
  checkObject('options', options)
  checkKeys('the pool', options, POOL_OPTION_NAMES)
  const {
    executorType: executor = 'async',
    executors = [],
    host = systemHost,
    maxParallelJobs: limit = 3,
    limits = {},
    memoryLimitBytes,
    enableCallbacks = true,
    callbackTimeoutMs = 30_000,
    timeoutMs = 300_000,
    killGraceMs = 2_000,
    maxRetries = 0,
    maxLost = 3,
    backoff = DEFAULT_BACKOFF,
    releaseZombies = false,
    logger = quietConsole,
    clock = systemClock,
    random = systemRandom,
    ids = systemIds,
  } = options
  if (typeof executor !== 'string' && !isExecutor(executor)) {
    throw new EspalierError('ESP_INVALID_OPTION', {
      option: 'executorType',
      expected: "an executor's name, such as 'async', or an Executor",
      got: executor,
    })
  }
  checkMethods('host', host, ['capacity', 'watch'])
  const auto = limit === 'auto' ? autoLimit(host.capacity()) : undefined
  if (!Array.isArray(executors) || !executors.every(isExecutor)) {
    const expected = 'an array of Executors'
    throw new EspalierError('ESP_INVALID_OPTION', { option: 'executors', expected, got: executors })
  }
  const settings = {
    maxParallelJobs: auto?.maxParallelJobs ?? checkLimit(limit),
    autoLimit: auto,
    limits: new ResourceLimits(limits, () => host.capacity()),
    pressure: resolvePressureRule(options),
    executor,
    executors,
    memoryLimitBytes:
      memoryLimitBytes === undefined ? undefined : checkInteger('memoryLimitBytes', memoryLimitBytes, 1),
    enableCallbacks: checkBoolean('enableCallbacks', enableCallbacks),
    callbackTimeoutMs: checkPositive('callbackTimeoutMs', callbackTimeoutMs),
    policy: {
      timeoutMs: checkPositive('timeoutMs', timeoutMs),
      killGraceMs: checkDuration('killGraceMs', killGraceMs),
      maxRetries: checkInteger('maxRetries', maxRetries),
      maxLost: checkInteger('maxLost', maxLost),
      backoff: checkBackoff(backoff),
    },
    promoteAfterMs: resolveAgeing(options.ageing),
    releaseZombies: checkBoolean('releaseZombies', releaseZombies),
    keep: resolveKeep(options.keep, DEFAULT_KEEP_COUNT),
    inspect: checkInspect(options.inspect),
    logger: shieldLogger(checkMethods('logger', logger, LOGGER_LEVELS)),
    signal: checkSignal(options.signal),
    handlers: checkHandlers(options.handlers),
    clock: checkMethods('clock', clock, ['now', 'wakeAt', 'soon']),
    random: checkMethods('random', random, ['next']),
    ids: checkMethods('ids', ids, ['next']),
    host,
  }
  // Last: a store that was opened for a pool that is refused would stay owned.
  const { store } = options
  if (typeof store !== 'string') return { ...settings, store: checkStore(store), closesStore: false }
  return { ...settings, store: openStore(store), closesStore: true }
}

export const POOL_OPTION_NAMES: ReadonlySet<string> = new Set<keyof JobPoolOptions>([
  'maxParallelJobs',
  'limits',
  'pressure',
  'executorType',
  'executors',
  'enableCallbacks',
  'callbackTimeoutMs',
  'timeoutMs',
  'killGraceMs',
  'memoryLimitBytes',
  'maxRetries',
  'maxLost',
  'backoff',
  'ageing',
  'releaseZombies',
  'keep',
  'inspect',
  'logger',
  'signal',
  'handlers',
  'store',
  'clock',
  'random',
  'ids',
  'host',
])

function checkLimit(limit: number | 'auto'): number {
  if (typeof limit === 'number') return checkInteger('maxParallelJobs', limit, 1)
  const expected = "a whole number of at least 1, or 'auto'"
  throw new EspalierError('ESP_INVALID_OPTION', { option: 'maxParallelJobs', expected, got: limit })
}

function resolveAgeing(ageing: JobPoolOptions['ageing']): number {
  if (ageing === undefined) return 0
  checkKeys('ageing', checkObject('ageing', ageing), AGEING)
  return checkPositive('ageing.afterMs', ageing.afterMs)
}

/** On simulated time the real machine's mood would be chance. */
function resolvePressureRule({ pressure, clock, host }: JobPoolOptions): PressureRule | undefined {
  if (pressure === false || (pressure === undefined && clock !== undefined && host === undefined))
    return undefined
  return resolvePressure(pressure)
}

function isExecutor(value: unknown): value is Executor {
  const { start, supports } = (value ?? {}) as Partial<Executor>
  return typeof start === 'function' && typeof supports === 'object'
}

function checkStore(store: RunStore | undefined): RunStore | undefined {
  if (store === undefined || typeof store?.commit === 'function') return store
  throw new EspalierError('ESP_INVALID_OPTION', {
    option: 'store',
    expected: 'a RunStore or the path of one',
    got: store,
  })
}

function checkHandlers(handlers: Handlers | undefined): Handlers {
  if (handlers === undefined) return {}
  for (const [name, handler] of Object.entries(checkObject('handlers', handlers))) {
    if (isExecute(handler)) continue
    const expected = 'a function, or an object such as { module, export }'
    throw new EspalierError('ESP_INVALID_OPTION', { option: `handlers.${name}`, expected, got: handler })
  }
  return handlers
}

export function checkSignal(signal: AbortSignal | undefined): AbortSignal | undefined {
  if (signal === undefined || signal instanceof AbortSignal) return signal
  throw new EspalierError('ESP_INVALID_OPTION', { option: 'signal', expected: 'an AbortSignal', got: signal })
}

function checkInspect(inspect: Inspection | undefined): Inspection | undefined {
  const isInspection =
    inspect === undefined || typeof inspect === 'function' || typeof inspect?.next === 'function'
  if (isInspection) return inspect
  const expected = 'a function, or an observer with the method next()'
  throw new EspalierError('ESP_INVALID_OPTION', { option: 'inspect', expected, got: inspect })
}

const AGEING: ReadonlySet<string> = new Set(['afterMs'])
const LOGGER_LEVELS = ['debug', 'info', 'warn', 'error'] as const

/** A logger that throws is left alone: nobody is left to tell. */
function shieldLogger(logger: Logger): Logger {
  const shielded =
    (level: keyof Logger) =>
    (message: string, details?: unknown): void => {
      try {
        logger[level](message, details)
      } catch {}
    }
  return {
    debug: shielded('debug'),
    info: shielded('info'),
    warn: shielded('warn'),
    error: shielded('error'),
  }
}

/** The default logger: a library that is silent about faults hides them. */
const quietConsole: Logger = {
  debug: () => {},
  info: () => {},
  // biome-ignore lint/suspicious/noConsole: where warnings go unless the user says otherwise.
  warn: (message, details) => console.warn(message, ...(details === undefined ? [] : [details])),
  // biome-ignore lint/suspicious/noConsole: as above.
  error: (message, details) => console.error(message, ...(details === undefined ? [] : [details])),
}
