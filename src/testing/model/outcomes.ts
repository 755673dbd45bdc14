import { EspalierError } from '../../domain/errors.ts'
import type { Closure, Execute, HandlerContext } from '../../domain/job.ts'

/** How an attempt of a handler may end. */
export type Outcome =
  | { readonly returns: unknown }
  /** The error's text, or the error itself. */
  | { readonly throws: string | Error }

/** A pure function in a handler's place; called with the handler's input and context. */
// biome-ignore lint/suspicious/noExplicitAny: an input has the type the workflow gave it.
export type Stand = (input: any, context: HandlerContext) => unknown

/**
 * What a handler does in a simulation: one outcome; several, of which `simulate` draws one for each attempt and
 * `explore` tries each; a function in its place; or `'run'`: the handler itself, which must be pure.
 */
export type HandlerModel = Outcome | readonly Outcome[] | Stand | 'run'

/** By handler name, in a set of jobs by job id; `'run'` runs all. A handler that is not named returns `undefined`. */
export type HandlerModels = 'run' | Readonly<Record<string, HandlerModel>>

/** What a model comes to for one attempt: outcomes to choose from, or a function to call. */
export type Behaviour = { readonly outcomes: readonly Outcome[] } | { readonly call: Closure }

const SILENT: Behaviour = { outcomes: [{ returns: undefined }] }

/** @throws {EspalierError} `ESP_INVALID_OPTION` for a model of the wrong form, or a name that does not exist. */
export function behavioursOf(
  handlers: Readonly<Record<string, Execute | undefined>>,
  models: HandlerModels = {},
): ReadonlyMap<string, Behaviour> {
  if (models !== 'run') {
    for (const name of Object.keys(models)) {
      if (Object.hasOwn(handlers, name)) continue
      const expected = `one of the handlers (${Object.keys(handlers).join(', ') || 'none'})`
      throw new EspalierError('ESP_INVALID_OPTION', { option: `handlers.${name}`, expected, got: name })
    }
  }
  const names = Object.keys(handlers)
  return new Map(
    names.map((name) => [name, behaviourOf(name, handlers[name], models === 'run' ? 'run' : models[name])]),
  )
}

function behaviourOf(name: string, handler: Execute | undefined, model: HandlerModel | undefined): Behaviour {
  if (model === undefined) return SILENT
  const refuse = (expected: string, got: unknown) =>
    new EspalierError('ESP_INVALID_OPTION', { option: `handlers.${name}`, expected, got })
  if (model === 'run') {
    if (typeof handler === 'function') return { call: handler }
    throw refuse('an outcome: only a function can be run here', handler)
  }
  if (typeof model === 'function') return { call: model }
  const outcomes = (Array.isArray(model) ? model : [model]) as readonly Outcome[]
  const isOutcome = (each: unknown) =>
    typeof each === 'object' && each !== null && ('returns' in each || 'throws' in each)
  if (outcomes.length === 0 || !outcomes.every(isOutcome)) {
    throw refuse("{ returns }, { throws }, several of these, a function or 'run'", model)
  }
  return { outcomes }
}
