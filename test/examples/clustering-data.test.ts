import { describe, expect, test } from 'vitest'
import { loadPenguins } from '../../examples/clustering/data.ts'
import { columns } from '../../examples/clustering/geometry.ts'
import { shuffleColumns } from '../../examples/clustering/project.ts'
import { createRandom, permutation, resample } from '../../examples/clustering/random.ts'
import { scale } from '../../examples/clustering/scale.ts'
import { countBy } from '../../examples/clustering/scores.ts'

describe('the penguins', () => {
  test('are 333 complete records of 344, with their species', async () => {
    const data = await loadPenguins({ seed: 1 })
    expect(data.rows).toHaveLength(333)
    expect(data.dropped).toBe(11)
    expect(Object.fromEntries(countBy(data.species))).toEqual({ Adelie: 146, Chinstrap: 68, Gentoo: 119 })
    expect(data.features).toHaveLength(4)
    expect(data.rows.every((row) => row.length === 4 && row.every(Number.isFinite))).toBe(true)
    expect(data.rows[0]).toEqual([39.1, 18.7, 181, 3750])
  })

  test('can be sampled, each row keeping its species, the same for the same seed', async () => {
    const all = await loadPenguins({ seed: 1 })
    const sample = await loadPenguins({ seed: 5, sampleSize: 80 })
    const rowsOf = (data: typeof all) => data.rows.map((row, index) => `${row} ${data.species[index]}`)
    expect(sample.rows).toHaveLength(80)
    expect(new Set(rowsOf(all))).toEqual(new Set([...rowsOf(all), ...rowsOf(sample)]))
    expect(await loadPenguins({ seed: 5, sampleSize: 80 })).toEqual(sample)
    expect((await loadPenguins({ seed: 6, sampleSize: 80 })).rows).not.toEqual(sample.rows)
  })

  test('stop being read when the attempt is aborted', async () => {
    await expect(loadPenguins({ seed: 1, signal: AbortSignal.abort() })).rejects.toThrow()
  })
})

describe('scaling', () => {
  const rows = [
    [1, 10, 7],
    [2, 20, 7],
    [3, 60, 7],
  ]

  test('none leaves the measurements as they are', () => {
    expect(scale(rows, 'none')).toEqual(rows)
  })

  test('standard gives every column mean 0 and deviation 1', () => {
    for (const column of columns(scale(rows, 'standard')).slice(0, 2)) {
      expect(column.reduce((sum, value) => sum + value, 0)).toBeCloseTo(0, 12)
      expect(column.reduce((sum, value) => sum + value ** 2, 0) / 2).toBeCloseTo(1, 12)
    }
  })

  test('unit spreads every column from 0 to 1', () => {
    expect(columns(scale(rows, 'unit')).slice(0, 2)).toEqual([
      [0, 0.5, 1],
      [0, 0.2, 1],
    ])
  })

  test('a column without spread becomes zeros', () => {
    expect(columns(scale(rows, 'standard'))[2]).toEqual([0, 0, 0])
    expect(columns(scale(rows, 'unit'))[2]).toEqual([0, 0, 0])
  })
})

describe('random copies', () => {
  test('a resample is the distinct rows of a bootstrap draw: ascending, about 63%', () => {
    const drawn = resample(1_000, createRandom(3, 'resample'))
    expect(drawn).toEqual([...new Set(drawn)].sort((a, b) => a - b))
    expect(drawn.length / 1_000).toBeCloseTo(1 - 1 / Math.E, 1)
  })

  test('shuffled columns keep their values and lose their relation', () => {
    const rows = Array.from({ length: 200 }, (_, index) => [index, -index])
    const shuffled = shuffleColumns(rows, createRandom(3, 'shuffle'))
    for (const [index, column] of columns(shuffled).entries()) {
      expect([...column].sort((a, b) => a - b)).toEqual([...columns(rows)[index]!].sort((a, b) => a - b))
    }
    expect(shuffled.filter(([a, b]) => a === -b!).length).toBeLessThan(10)
  })

  test('a permutation holds every number once', () => {
    expect(permutation(50, createRandom(1, 'x')).sort((a, b) => a - b)).toEqual([...Array(50).keys()])
  })

  test('the same seed and purpose give the same numbers; another of either, others', () => {
    const first = (seed: number, purpose: string) => {
      const random = createRandom(seed, purpose)
      return [random(), random(), random()]
    }
    expect(first(1, 'a')).toEqual(first(1, 'a'))
    expect(first(1, 'a')).not.toEqual(first(2, 'a'))
    expect(first(1, 'a')).not.toEqual(first(1, 'b'))
    expect(first(1, 'a').every((value) => value >= 0 && value < 1)).toBe(true)
  })
})
