import { figuresOf, type KindFigures } from './range.ts'
import type { RunStore } from './run-store.ts'

/** A kind of job in two runs; absent in one that has none of it. */
export interface KindDelta {
  readonly kind: string
  readonly own: KindFigures | undefined
  readonly other: KindFigures | undefined
}

/** The kinds of both runs; those whose work differs most come first. */
export function compareKinds(own: RunStore, other: RunStore): KindDelta[] {
  const all = (run: RunStore) =>
    new Map(figuresOf(run, run.epoch, run.end, run.end).map((each) => [each.kind, each]))
  const [mine, theirs] = [all(own), all(other)]
  const kinds = new Set([...mine.keys(), ...theirs.keys()])
  const difference = (kind: string) =>
    Math.abs((mine.get(kind)?.busyMs ?? 0) - (theirs.get(kind)?.busyMs ?? 0))
  return [...kinds]
    .sort((a, b) => difference(b) - difference(a))
    .map((kind) => ({ kind, own: mine.get(kind), other: theirs.get(kind) }))
}
