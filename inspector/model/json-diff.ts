/** A value in a JSON document, by its path, and how it differs from the document before. */
export interface DiffLine {
  readonly path: string
  readonly value: string
  readonly change: 'same' | 'added' | 'changed' | 'removed'
  /** What it was before. */
  readonly before?: string
}

/** The leaves of a document beside those of the one before it; `undefined` before: nothing to compare with. */
export function diffJson(before: unknown, after: unknown): DiffLine[] {
  const old = before === undefined ? undefined : leavesOf(before)
  const now = leavesOf(after)
  const lines = [...now].map(([path, value]): DiffLine => {
    const was = old?.get(path)
    if (old === undefined || was === value) return { path, value, change: 'same' }
    return was === undefined
      ? { path, value, change: 'added' }
      : { path, value, change: 'changed', before: was }
  })
  const gone = [...(old ?? [])].filter(([path]) => !now.has(path))
  return [...lines, ...gone.map(([path, value]): DiffLine => ({ path, value, change: 'removed' }))]
}

function leavesOf(value: unknown, path = '', found = new Map<string, string>()): Map<string, string> {
  if (typeof value !== 'object' || value === null || Object.keys(value).length === 0) {
    found.set(path || '(all)', JSON.stringify(value) ?? 'undefined')
    return found
  }
  for (const [key, inner] of Object.entries(value))
    leavesOf(inner, path === '' ? key : `${path}.${key}`, found)
  return found
}
