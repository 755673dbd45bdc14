import { checkKeys, checkName, checkObject } from '../domain/check.ts'
import { EspalierError } from '../domain/errors.ts'
import { isListOf, isText, isVariableName } from './texts.ts'

/** What executors take whose attempts run in threads or processes of Node. */
export interface WorkerOptions {
  readonly name?: string
  readonly env?: NodeJS.ProcessEnv
  readonly execArgv?: readonly string[]
}

const OPTION_NAMES: ReadonlySet<string> = new Set<keyof WorkerOptions>(['name', 'env', 'execArgv'])

/**
 * @param of - Whose options they are, such as `the thread executor`.
 * @throws {EspalierError} `ESP_INVALID_OPTION` or `ESP_UNKNOWN_OPTION`.
 */
export function checkWorkerOptions(of: string, options: WorkerOptions): WorkerOptions {
  checkKeys(of, checkObject('options', options), OPTION_NAMES)
  const { name, env, execArgv } = options
  if (name !== undefined) checkName('name', name)
  if (env !== undefined) checkEnvironment(env)
  if (execArgv !== undefined && !isListOf(execArgv, isText)) {
    const expected = 'an array of strings without NUL'
    throw new EspalierError('ESP_INVALID_OPTION', { option: 'execArgv', expected, got: execArgv })
  }
  return options
}

/** What is refused is named alone: others of the environment may be secrets. */
function checkEnvironment(env: NodeJS.ProcessEnv): void {
  for (const [name, value] of Object.entries(checkObject('env', env))) {
    if (!isVariableName(name)) {
      const expected = 'an object whose names are not empty, and without "=" and NUL'
      throw new EspalierError('ESP_INVALID_OPTION', { option: 'env', expected, got: name })
    }
    if (value !== undefined && !isText(value)) {
      const expected = 'a string without NUL'
      throw new EspalierError('ESP_INVALID_OPTION', { option: `env.${name}`, expected, got: value })
    }
  }
}
