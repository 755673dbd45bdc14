import { EspalierError } from '../../domain/errors.ts'
import type { Workflow } from '../../domain/workflow.ts'

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
