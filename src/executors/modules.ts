import { isAbsolute } from 'node:path'
import type { Execute, ModuleHandler } from '../domain/job.ts'
import { refusesUnknown } from './known-fields.ts'

const EXPECTED = '`{ module, export }`, with a file URL or an absolute path as `module`'
const FIELDS = ['module', 'export'] as const satisfies readonly (keyof ModuleHandler)[]

/** What an executor that runs handlers elsewhere takes instead; `undefined` when it can run this one. */
export function refusesAllButModules(execute: Execute): string | undefined {
  const { module, export: name } = (execute ?? {}) as Partial<ModuleHandler>
  const isLocated = typeof module === 'string' && (module.startsWith('file:') || isAbsolute(module))
  const isNamed = name === undefined || (typeof name === 'string' && name !== '')
  if (typeof execute !== 'object' || !isLocated || !isNamed) return EXPECTED
  return refusesUnknown(EXPECTED, execute, FIELDS)
}
