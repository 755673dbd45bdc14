import { expect } from 'vitest'
import { expectPromises, inspect, runVictim } from './victim.ts'

export interface KillLoop {
  /** How many times a victim is brought to its end. */
  readonly rounds: number
  /** How often each is killed on the way. */
  readonly kills: number
  readonly seed: number
}

/** The longest a victim lives before it is killed, in ms: about as long as it needs. */
const LIFE_MS = 900

/** Kills victims at random moments, and expects that each comes to the end of one that was left alone. */
export async function killLoop(newFolder: () => string, { rounds, kills, seed }: KillLoop): Promise<void> {
  const random = randomFrom(seed)
  const { out: expected } = await runVictim(newFolder())
  for (let round = 0; round < rounds; round++) {
    const folder = newFolder()
    for (let kill = 0; kill < kills; kill++) await runVictim(folder, '', random() * LIFE_MS)
    const { out, signal } = await runVictim(folder)
    expect([signal, out], `seed ${seed}, round ${round}`).toEqual([null, expected])
    inspect(folder, (store) => expectPromises(store, folder))
  }
}

/** Mulberry32: numbers in [0, 1) that follow from a seed. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
