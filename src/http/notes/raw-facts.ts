import type { JobUsage } from '../../domain/job.ts'
import { type ErrorJson, errorToJson } from '../../domain/trace.ts'
import { cutText, type RawError } from './raw-chunk.ts'
import { NAME_LENGTH_MAX } from './raw-chunk-writer.ts'

/** Longer texts are cut: a recording is no place for documents. */
export const MESSAGE_LENGTH_MAX = 2_000
const STACK_LENGTH_MAX = 4_000

/** Whether an executor told what an attempt used; that a value was taken again is no use of anything. */
export const hasUsage = (usage: JobUsage | undefined): usage is JobUsage =>
  usage?.cpuMs !== undefined || usage?.peakMemoryBytes !== undefined

/** What a person would call what a job runs. */
export function kindOf(execute: unknown): string {
  if (typeof execute === 'function') return execute.name || '(anonymous)'
  const {
    export: name,
    module,
    command,
    logic,
  } = execute as {
    readonly export?: unknown
    readonly module?: unknown
    readonly command?: unknown
    readonly logic?: { readonly id?: unknown }
  }
  for (const named of [name, command, module, logic?.id]) if (typeof named === 'string') return named
  return '(job)'
}

/** The number in a tree's node id, such as 12 in `n12`. */
export function numberOf(nodeId: string | undefined): number | undefined {
  if (nodeId === undefined || nodeId.charCodeAt(0) !== 0x6e || nodeId.length > 10) return undefined
  const number = Number(nodeId.slice(1))
  return Number.isInteger(number) && `n${number}` === nodeId ? number : undefined
}

export const rawError = (error: Error): RawError => rawErrorOf(errorToJson(error))

/** An error as it is noted: as text, cut to what a recording keeps. */
export function rawErrorOf(error: ErrorJson): RawError {
  const { name, message, stack = '', code = '' } = error
  return {
    name: cutText(name, NAME_LENGTH_MAX),
    message: cutText(message, MESSAGE_LENGTH_MAX),
    code: cutText(String(code), NAME_LENGTH_MAX),
    stack: cutText(stack, STACK_LENGTH_MAX),
    causes: cutText(causesOf(error).join('\n'), MESSAGE_LENGTH_MAX),
  }
}

function causesOf({ cause }: ErrorJson): string[] {
  if (cause === undefined) return []
  if (!('message' in cause))
    return [oneLine(typeof cause.thrown === 'string' ? cause.thrown : JSON.stringify(cause.thrown))]
  return [oneLine(`${cause.name}: ${cause.message}`), ...causesOf(cause)]
}

const oneLine = (text: string): string => text.replace(/\s*\n\s*/g, ' ')
