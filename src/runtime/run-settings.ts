import { checkInteger, checkPositive } from '../domain/check.ts'
import { EspalierError } from '../domain/errors.ts'
import { DEFAULT_LIMITS, type TreeLimits } from '../domain/tree.ts'
import type { Workflow } from '../domain/workflow.ts'

/** @throws {EspalierError} `ESP_INVALID_INPUT`, naming the path of each issue. */
export async function validInput(workflow: Workflow, input: unknown): Promise<unknown> {
  const schema = workflow.input
  if (schema === undefined) return input
  const result = await schema['~standard'].validate(input)
  if (result.issues === undefined) return result.value
  const issues = result.issues.map(({ message, path }) => {
    const where = (path ?? [])
      .map((part) => (typeof part === 'object' ? String(part.key) : String(part)))
      .join('.')
    return where === '' ? message : `${where}: ${message}`
  })
  throw new EspalierError('ESP_INVALID_INPUT', { workflow: workflow.name, issues })
}

export function checkLimits(limits: TreeLimits): TreeLimits {
  for (const name of Object.keys(limits)) {
    if (Object.hasOwn(DEFAULT_LIMITS, name)) continue
    const expected = `one of the limits (${Object.keys(DEFAULT_LIMITS).join(', ')})`
    throw new EspalierError('ESP_INVALID_OPTION', { option: `limits.${name}`, expected, got: name })
  }
  checkInteger('limits.maxNodes', limits.maxNodes, 1)
  checkInteger('limits.maxChildrenPerNode', limits.maxChildrenPerNode, 1)
  checkInteger('limits.maxDepth', limits.maxDepth)
  checkInteger('limits.maxRevisions', limits.maxRevisions)
  checkInteger('limits.maxParallelExpands', limits.maxParallelExpands, 1)
  checkPositive('limits.expandTimeoutMs', limits.expandTimeoutMs)
  if (limits.maxRunMs !== undefined) checkPositive('limits.maxRunMs', limits.maxRunMs)
  return limits
}
