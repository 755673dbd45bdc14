/** The fields that are not `undefined`: an option that is `undefined` counts as not given. */
export function present<Fields extends object>(
  fields: Fields,
): { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> } {
  const found: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) found[name] = value
  return found as { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> }
}
