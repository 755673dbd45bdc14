import { pathToFileURL } from 'node:url'
import { EspalierError } from '../../domain/errors.ts'
import type { Closure } from '../../domain/job.ts'
import type { Task } from './messages.ts'

const HANDLERS_MAX = 1_000

/** Loads handlers from modules, each once. TypeScript is loaded as Node does: its types are stripped. */
export class Handlers {
  /** By module, then by export. */
  readonly #known = new Map<string, Map<string, Closure>>()
  #count = 0

  /** A handler that was loaded before. */
  known({ module, export: name }: Task): Closure | undefined {
    return this.#known.get(module)?.get(name)
  }

  /**
   * @throws {EspalierError} `ESP_UNUSABLE_MODULE` when there is no such module, or it has no such export.
   * @throws What the module threw when it was loaded.
   */
  async load(task: Task): Promise<Closure> {
    const { module, export: name } = task
    const url = module.startsWith('file:') ? module : pathToFileURL(module).href
    let exports: Record<string, unknown>
    try {
      exports = await import(url)
    } catch (thrown) {
      const { code, message } = (thrown ?? {}) as { code?: unknown; message?: string }
      if (code !== 'ERR_MODULE_NOT_FOUND') throw thrown
      throw unusable(task, `cannot be loaded (${message})`, thrown)
    }
    const common = exportsOfCommonJs(exports)
    const handler = [exports[name], common[name]].find((candidate) => typeof candidate === 'function')
    if (handler === undefined) {
      const names = Object.keys({ ...exports, ...common }).filter((other) => other !== COMMON_JS)
      const others = names.join(', ') || 'nothing'
      throw unusable(task, `has no function as its export "${name}" (it exports ${others})`)
    }
    this.#keep(module, name, handler as Closure)
    return handler as Closure
  }

  #keep(module: string, name: string, handler: Closure): void {
    if (++this.#count > HANDLERS_MAX) {
      this.#known.clear()
      this.#count = 1
    }
    const exports = this.#known.get(module) ?? new Map<string, Closure>()
    this.#known.set(module, exports.set(name, handler))
  }
}

/** By this name Node exports what a CommonJS module has assigned to it. */
const COMMON_JS = 'module.exports'

/** What `require` would find in a CommonJS module: Node makes exports only of the names that it recognises in its text. */
function exportsOfCommonJs({ [COMMON_JS]: common }: Record<string, unknown>): Record<string, unknown> {
  return { __proto__: null, ...(common as object | undefined) }
}

function unusable({ jobId, module }: Task, problem: string, cause?: unknown): EspalierError {
  return new EspalierError(
    'ESP_UNUSABLE_MODULE',
    { jobId, module, problem },
    cause === undefined ? {} : { cause },
  )
}
