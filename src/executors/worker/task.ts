import type { EspalierError } from '../../domain/errors.ts'
import type { ModuleHandler } from '../../domain/job.ts'
import type { Attempt } from '../../ports/executor.ts'
import { type Carrier, cannotCarry, findUncarriable } from '../carrying.ts'
import type { Task } from './messages.ts'

/** An attempt as a message; or why it cannot be one. */
export function taskOf(number: number, attempt: Attempt, carrier: Carrier): Task | EspalierError {
  const { args, parentResults, memoryLimitBytes, jobId } = attempt
  const { module, export: name = 'default' } = attempt.execute as ModuleHandler
  const hasArgs = args.length > 0
  const hasParents = !isEmpty(parentResults)
  const inArgs = hasArgs ? findUncarriable(args, 'args', carrier) : undefined
  if (inArgs !== undefined) return cannotCarry(jobId, 'its arguments', inArgs)
  const inParents = hasParents ? findUncarriable(parentResults, 'parentResults', carrier) : undefined
  if (inParents !== undefined) return cannotCarry(jobId, 'what it depends on', inParents)
  return {
    number,
    module,
    export: name,
    jobId,
    nodeId: attempt.nodeId,
    treeId: attempt.treeId,
    attempt: attempt.attempt,
    args: hasArgs ? args : undefined,
    parentResults: hasParents ? parentResults : undefined,
    memoryLimitBytes,
  }
}

function isEmpty(record: object): boolean {
  for (const _ in record) return false
  return true
}
