import type { RunStore } from 'espalier'
import { expect } from 'vitest'
import { expectPromises, expectWhole, inspect, runVictim } from './victim.ts'

/** A program that works on a store until all is done, and prints to what end it came. */
interface Victim {
  readonly script: string
  /** The longest it lives before it is killed, in ms: about as long as it needs. */
  readonly lifeMs: number
  /** Looks at what it has stored. */
  readonly check: (store: RunStore, folder: string) => void
}

/** A small run, and jobs beside it. */
export const JOBS: Victim = { script: 'victim.ts', lifeMs: 900, check: expectPromises }

/** The clustering example, on threads. */
export const CLUSTERING: Victim = { script: 'clustering-victim.ts', lifeMs: 4_000, check: expectWhole }

export interface KillLoop {
  readonly seed: number
  /** How often a victim is killed before it is left alone. */
  readonly kills: number
  /** Asked after each victim that has come to its end. */
  readonly isOver: (rounds: number) => boolean
}

/**
 * Kills victims at random moments, and expects that each comes to the end of one that was left alone.
 *
 * @returns How many there were.
 */
export async function killLoop(
  newFolder: () => string,
  { script, lifeMs, check }: Victim,
  { seed, kills, isOver }: KillLoop,
): Promise<number> {
  const random = randomFrom(seed)
  const { out: expected } = await runVictim(newFolder(), { script })
  let rounds = 0
  do {
    const folder = newFolder()
    for (let kill = 0; kill < kills; kill++) {
      await runVictim(folder, { script, killAfterMs: random() * lifeMs })
    }
    const { out, signal } = await runVictim(folder, { script })
    expect([signal, out], `SEED=${seed}, round ${rounds}`).toEqual([null, expected])
    inspect(folder, (store) => check(store, folder))
    rounds++
  } while (!isOver(rounds))
  return rounds
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
