/** An actor that takes the effects its chart asks for: named actions, with their params. */
export interface EffectTaker {
  takeEffect(type: string, params: unknown): void
}

/** The action that hands an effect to the actor whose chart asks for it. */
export interface EffectAction {
  (args: { readonly self: unknown }, params?: unknown): void
  readonly effect: string
}

/** Makes the implementation of a named action that only tells its actor, an {@link EffectTaker}, what is asked. */
export function effect(type: string): EffectAction {
  const action = ({ self }: { readonly self: unknown }, params?: unknown): void =>
    (self as EffectTaker).takeEffect(type, params)
  return Object.assign(action, { effect: type })
}

export const isEffect = (action: unknown): action is EffectAction =>
  typeof action === 'function' && 'effect' in action
