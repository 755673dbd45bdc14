import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import * as z from 'zod'
import type { Points } from './geometry.ts'
import { createRandom, permutation } from './random.ts'

/** The four measurements the analysis may look at, as the data set names them. */
export const FEATURES = [
  'Beak Length (mm)',
  'Beak Depth (mm)',
  'Flipper Length (mm)',
  'Body Mass (g)',
] as const

/** The penguins, and what is known of them. */
export interface Dataset {
  readonly source: string
  readonly features: readonly string[]
  /** One row of measurements a penguin, in the order of `features` and in their units. */
  readonly rows: Points
  /** The known species of each row. The truth: only reported against, never searched with. */
  readonly species: readonly string[]
  /** How many incomplete records were left out. */
  readonly dropped: number
}

const completeRecord = z.object({
  Species: z.string(),
  Sex: z.enum(['MALE', 'FEMALE']),
  ...(Object.fromEntries(FEATURES.map((feature) => [feature, z.number()])) as Record<
    (typeof FEATURES)[number],
    z.ZodNumber
  >),
})

/**
 * Reads the Palmer penguins that `vega-datasets` ships, and keeps the complete records: 333 of 344.
 *
 * Missing values are `null`, and once a sex of `"."`.
 *
 * @param options.sampleSize - Keeps a random sample of this many rows; default: all.
 */
export async function loadPenguins(options: {
  readonly seed: number
  readonly sampleSize?: number | undefined
  readonly signal?: AbortSignal
}): Promise<Dataset> {
  // The package exports only its entry, `build/index.js`; the data lies beside it.
  const entry = pathToFileURL(createRequire(import.meta.url).resolve('vega-datasets'))
  const text = await readFile(new URL('../data/penguins.json', entry), {
    encoding: 'utf8',
    ...(options.signal && { signal: options.signal }),
  })
  const records = z.array(z.unknown()).parse(JSON.parse(text))
  const complete = records.flatMap((record) => completeRecord.safeParse(record).data ?? [])
  const kept = sample(complete, options.sampleSize ?? complete.length, options.seed)
  return {
    source: 'vega-datasets/data/penguins.json',
    features: FEATURES,
    rows: kept.map((record) => FEATURES.map((feature) => record[feature])),
    species: kept.map((record) => record.Species),
    dropped: records.length - complete.length,
  }
}

function sample<Item>(items: readonly Item[], size: number, seed: number): Item[] {
  const chosen = new Set(permutation(items.length, createRandom(seed, 'sample')).slice(0, size))
  return items.filter((_, index) => chosen.has(index))
}
