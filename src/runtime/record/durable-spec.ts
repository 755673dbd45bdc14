import { EspalierError } from '../../domain/errors.ts'
import type { Execute, JobId, JobPolicy, JobSpec } from '../../domain/job.ts'
import { jsonText } from '../../domain/json-text.ts'
import type { JobSubmitted, StoredExecute } from '../../domain/trace.ts'

/** Handlers by name, for jobs that are submitted by a handler's name. */
export type Handlers = Readonly<Record<string, Execute>>

/**
 * What a job runs, found by its name when it is named.
 *
 * @param of - Whose handlers they are, such as `the pool`.
 * @throws {EspalierError} `ESP_UNKNOWN_HANDLER`.
 */
export function executeOf(execute: Execute | string, handlers: Handlers, of: string): Execute {
  if (typeof execute !== 'string') return execute
  if (Object.hasOwn(handlers, execute)) return handlers[execute] as Execute
  throw new EspalierError('ESP_UNKNOWN_HANDLER', { of, handler: execute, known: Object.keys(handlers) })
}

/** What of a job is stored, besides what its chart keeps. */
export interface DurableParts {
  readonly id: JobId
  /** The name of the handler, when the job was submitted by one. */
  readonly handler: string | undefined
  /** Whether the job is a node's of a run. */
  readonly isNode: boolean
  /** The node's. */
  readonly input: unknown
  readonly dependencies: readonly JobId[]
  /** What the handler belongs to: the workflow's name, absent for a job that stands alone. */
  readonly scope: string | undefined
  /** Absent when it is the pool's. */
  readonly policy: JobPolicy | undefined
}

/** A job's spec as it is stored. */
export interface DurableSpec {
  readonly submitted: JobSubmitted
  /** Of what is long in it if anything is, as JSON text. */
  readonly length: number
}

/**
 * A job's spec as it is stored.
 *
 * @throws {EspalierError} `ESP_NOT_DURABLE` for a closure, `ESP_NOT_STORABLE` for arguments that are no JSON.
 */
export function durableSpec(spec: JobSpec & { readonly execute: Execute }, parts: DurableParts): DurableSpec {
  const {
    args,
    nodeId,
    treeId,
    metadata,
    priority,
    score,
    onDependencyFailure,
    dedupeKey,
    executor,
    memoryLimitBytes,
    resources,
  } = spec
  const { id, dependencies, policy } = parts
  const execute = storedExecute(spec.execute, parts)
  // A node's only argument is its input, which is stored with the node.
  const hasArgs = !parts.isNode && args !== undefined && args.length > 0
  if (parts.isNode) jsonText(parts.input, `The input of node "${nodeId}"`)
  const argsText = hasArgs ? jsonText(args, `The arguments of job "${id}"`) : undefined
  const metadataText = jsonText(metadata, `The metadata of job "${id}"`)
  let length = dependencies.length * ID_LENGTH + (argsText?.length ?? 0) + (metadataText?.length ?? 0)
  if (!('handler' in execute)) length += JSON.stringify(execute).length
  const submitted: JobSubmitted = {
    type: 'job.submitted',
    execute,
    // Copies: its row may be written after whoever submitted it, or its handler, has changed them.
    ...(argsText !== undefined && { args: JSON.parse(argsText) }),
    ...(nodeId !== undefined && { nodeId }),
    ...(treeId !== undefined && (parts.isNode ? { treeId } : { treeId, standsAlone: true })),
    ...(metadataText !== undefined && { metadata: JSON.parse(metadataText) }),
    ...(priority !== undefined && priority !== 'normal' && { priority }),
    ...(score !== undefined && score !== 0 && { score }),
    ...(dependencies.length > 0 && { dependencies }),
    ...(onDependencyFailure === 'run' && { onDependencyFailure }),
    ...(policy !== undefined && { policy }),
    ...(dedupeKey !== undefined && { dedupeKey }),
    ...(executor !== undefined && { executor }),
    ...(memoryLimitBytes !== undefined && { memoryLimitBytes }),
    ...(resources !== undefined && { resources }),
    ...(spec.cache === true && { cache: contentName(execute, spec.version, parts.scope) }),
  }
  return { submitted, length }
}

/** About as long as most ids are. */
const ID_LENGTH = 16

/** Specs of jobs that say no more than the name of a handler: one for each. */
export class PlainSpecs {
  readonly #specs = new Map<string, DurableSpec>()

  /** @returns `undefined` when a job says more. */
  of(handler: string, spec: JobSpec): DurableSpec | undefined {
    for (const field in spec) if (!UNSTORED.has(field)) return undefined
    const known = this.#specs.get(handler)
    if (known !== undefined) return known
    const plain = { submitted: { type: 'job.submitted', execute: { handler } }, length: 0 } as const
    this.#specs.set(handler, plain)
    return plain
  }
}

/** What a spec says that is not of what is stored as it, or is told apart. */
const UNSTORED: ReadonlySet<string> = new Set<keyof JobSpec>(['execute', 'id', 'callback', 'delayMs'])

/** Such as `clustering/load@2`. */
function contentName(execute: StoredExecute, version = '', scope = ''): string {
  const name = 'handler' in execute ? execute.handler : JSON.stringify(execute)
  return `${scope}/${name}@${version}`
}

function storedExecute(execute: Execute, { id: jobId, handler }: DurableParts): StoredExecute {
  if (handler !== undefined) return { handler }
  if (typeof execute === 'object' && execute !== null && isStorable(execute)) return execute as StoredExecute
  throw new EspalierError('ESP_NOT_DURABLE', { jobId, got: execute })
}

function isStorable(execute: object): boolean {
  const hasName = 'module' in execute || 'command' in execute
  return hasName && Object.values(execute).every((part) => typeof part !== 'function')
}
