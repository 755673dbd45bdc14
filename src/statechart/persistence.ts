const ACTOR_REF = 1

/**
 * Replaces actors in a context by what XState writes for them; copies only what holds one.
 *
 * A context that refers to itself overflows the stack, as in XState.
 */
export function persistContext(part: unknown): unknown {
  let copy: Record<string, unknown> | undefined
  const fields = part as Record<string, unknown>
  for (const key in fields) {
    const value = fields[key]
    if (typeof value !== 'object' || value === null) continue
    const persisted = isActor(value) ? { xstate$$type: ACTOR_REF, id: value.id } : persistContext(value)
    if (persisted === value) continue
    copy ??= (Array.isArray(part) ? [...part] : { ...fields }) as Record<string, unknown>
    copy[key] = persisted
  }
  return copy ?? part
}

/** Drops the places of actors from a persisted context, in place: a compiled machine has no children to fill them with. */
export function reviveContext(part: unknown, seen: Set<unknown> = new Set()): void {
  if (seen.has(part)) return
  seen.add(part)
  const fields = part as Record<string, unknown>
  for (const key in fields) {
    const value = fields[key]
    if (typeof value !== 'object' || value === null) continue
    if ('xstate$$type' in value && value.xstate$$type === ACTOR_REF) fields[key] = undefined
    else reviveContext(value, seen)
  }
}

const isActor = (value: object): value is { id: string } =>
  'sessionId' in value && 'send' in value && 'ref' in value
