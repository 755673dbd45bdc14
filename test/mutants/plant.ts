import { registerHooks } from 'node:module'

/** A bug that is planted from outside: one snippet of one source, replaced. */
export interface Mutant {
  readonly name: string
  /** From the package's folder. */
  readonly file: string
  /** Occurs exactly once in the file. */
  readonly find: string
  readonly replace: string
}

const root = new URL('../../', import.meta.url).href
const planted = new Map<string, Mutant>()

/**
 * Imports the testing room with the bug planted, and with it all the sources it needs, apart from those that anybody
 * else has imported: every file of a planted copy is told from the others by a query in its URL.
 *
 * @param mutant - Absent: a copy without a bug.
 * @throws {Error} When the snippet is not there any more, or more than once: the mutant must follow the code.
 */
export async function importPlanted(mutant?: Mutant): Promise<typeof import('espalier/testing')> {
  const query = `?mutant=${encodeURIComponent(mutant?.name ?? 'none')}`
  if (mutant !== undefined) planted.set(query, mutant)
  return import(`${root}src/testing/index.ts${query}`)
}

registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context)
    const query = queryOf(context.parentURL)
    const isSource = resolved.url.startsWith(root) && !resolved.url.includes('/node_modules/')
    if (query === undefined || !isSource || queryOf(resolved.url) !== undefined) return resolved
    return { ...resolved, url: resolved.url + query }
  },
  load(url, context, next) {
    const loaded = next(url, context)
    const mutant = planted.get(queryOf(url) ?? '')
    if (mutant === undefined || !url.startsWith(`${root}${mutant.file}?`)) return loaded
    return { ...loaded, source: plantIn(String(loaded.source), mutant) }
  },
})

const queryOf = (url: string | undefined): string | undefined => /\?mutant=.*$/.exec(url ?? '')?.[0]

function plantIn(source: string, { name, file, find, replace }: Mutant): string {
  const times = source.split(find).length - 1
  if (times === 1) return source.replace(find, () => replace)
  throw new Error(
    `The mutant "${name}" looks for a snippet that ${file} has ${times} times, not once: ${JSON.stringify(find)}. ` +
      'The code has changed: find the place again, and adapt the mutant.',
  )
}
