import {
  checkBoolean,
  checkDuration,
  checkInteger,
  checkKeys,
  checkName,
  checkObject,
  checkString,
} from '../../domain/check.ts'
import { EspalierError } from '../../domain/errors.ts'
import type { Execute, JobId, JobSpec } from '../../domain/job.ts'
import type { Executor } from '../../ports/executor.ts'

/** @throws {EspalierError} `ESP_INVALID_OPTION` when a job is no object, `ESP_UNKNOWN_OPTION` for a field that no job has. */
export function checkKnownFields(spec: JobSpec): void {
  checkObject('job', spec)
  checkKeys('a job', spec, FIELDS)
}

/** @throws {EspalierError} `ESP_INVALID_OPTION` for a field that is wrong by itself. */
export function checkFields(spec: JobSpec): void {
  if (spec.nodeId !== undefined) checkName('nodeId', spec.nodeId)
  if (spec.treeId !== undefined) checkName('treeId', spec.treeId)
  if (spec.dedupeKey !== undefined) checkString('dedupeKey', spec.dedupeKey)
  if (spec.executor !== undefined) checkString('executor', spec.executor)
  if (spec.score !== undefined && !Number.isFinite(spec.score)) {
    throw new EspalierError('ESP_INVALID_OPTION', {
      option: 'score',
      expected: 'a finite number',
      got: spec.score,
    })
  }
  if (spec.delayMs !== undefined) checkDuration('delayMs', spec.delayMs)
  if (spec.args !== undefined && !Array.isArray(spec.args)) {
    throw new EspalierError('ESP_INVALID_OPTION', { option: 'args', expected: 'an array', got: spec.args })
  }
  if (spec.callback !== undefined && typeof spec.callback !== 'function') {
    throw new EspalierError('ESP_INVALID_OPTION', {
      option: 'callback',
      expected: 'a function',
      got: spec.callback,
    })
  }
  if (spec.cache !== undefined) checkBoolean('cache', spec.cache)
  if (spec.version !== undefined) checkName('version', spec.version)
  if (spec.onDependencyFailure !== undefined && !ON_DEPENDENCY_FAILURE.includes(spec.onDependencyFailure)) {
    const { onDependencyFailure: got } = spec
    throw new EspalierError('ESP_INVALID_OPTION', {
      option: 'onDependencyFailure',
      expected: "'cancel' or 'run'",
      got,
    })
  }
}

/** @throws {EspalierError} `ESP_INVALID_OPTION` for what is no list of job ids or jobs. */
export function checkDependencyList(dependencies: NonNullable<JobSpec['dependencies']>): void {
  const isWrong = (given: unknown) => typeof (given as { id?: unknown } | undefined)?.id !== 'string'
  const isList = Array.isArray(dependencies)
  if (!isList || dependencies.some((given) => typeof given !== 'string' && isWrong(given))) {
    const expected = 'an array of job ids or jobs'
    throw new EspalierError('ESP_INVALID_OPTION', { option: 'dependencies', expected, got: dependencies })
  }
}

/**
 * Checks that an executor can run a job, with all that the job asks for.
 *
 * @throws {EspalierError} `ESP_MISSING_HANDLER`, `ESP_UNSUPPORTED`, and `ESP_INVALID_OPTION` for what it asks for.
 */
export function checkExecutable(
  id: JobId,
  spec: JobSpec & { readonly execute: Execute },
  executor: Executor,
): void {
  const expected = executor.refuses(spec.execute)
  if (expected !== undefined) {
    const { execute: got } = spec
    throw new EspalierError('ESP_MISSING_HANDLER', { jobId: id, executor: executor.name, expected, got })
  }
  checkSupport(id, spec, executor)
}

/** What a job asks for and its executor cannot give is refused: a limit that nobody keeps is worse than none. */
function checkSupport(jobId: JobId, { memoryLimitBytes, transfer }: JobSpec, executor: Executor): void {
  const { name, supports } = executor
  if (memoryLimitBytes !== undefined) {
    checkInteger('memoryLimitBytes', memoryLimitBytes, 1)
    if (!supports.memoryLimit)
      throw new EspalierError('ESP_UNSUPPORTED', { jobId, executor: name, field: 'memoryLimitBytes' })
  }
  if (transfer !== undefined) {
    if (!Array.isArray(transfer)) {
      const expected = 'an array'
      throw new EspalierError('ESP_INVALID_OPTION', { option: 'transfer', expected, got: transfer })
    }
    if (!supports.transfer)
      throw new EspalierError('ESP_UNSUPPORTED', { jobId, executor: name, field: 'transfer' })
  }
}

const FIELDS: ReadonlySet<string> = new Set<keyof JobSpec>([
  'id',
  'nodeId',
  'treeId',
  'metadata',
  'execute',
  'args',
  'priority',
  'score',
  'dependencies',
  'onDependencyFailure',
  'callback',
  'timeoutMs',
  'maxRetries',
  'backoff',
  'delayMs',
  'dedupeKey',
  'executor',
  'memoryLimitBytes',
  'transfer',
  'resources',
  'cache',
  'version',
])
const ON_DEPENDENCY_FAILURE: readonly unknown[] = ['cancel', 'run']
