import type { RunStore } from './run-store.ts'
import type { Span } from './span.ts'

/** What a cursor on the lanes of a run may move over. */
export interface SliceBounds {
  /** Attempts that start later are not there; epoch ms. */
  readonly until: number
  /** How far Page Up and Page Down go, in ms. */
  readonly pageMs: number
}

/**
 * The attempt that a key leads to from another one: left and right along its lane, up and down to the one of the next lane
 * at that time, Home and End to the first and last of the lane, Page Up and Page Down a page of time.
 *
 * @param slice - Where the cursor is; -1 for nowhere yet: then it comes to the first attempt of the first lane.
 * @returns The same one where there is none further; `undefined` for a key that does not move.
 */
export function nextSlice(
  run: RunStore,
  slice: number,
  key: string,
  { until, pageMs }: SliceBounds,
): number | undefined {
  if (!KEYS.has(key)) return undefined
  const { slices } = run
  const startedIn = (lane: number) => slices.startedIn(slices.lanes[lane]!, until)
  /** The nearest lane from this one that has an attempt by now, or -1. */
  const laneFrom = (lane: number, step: number) => {
    for (let near = lane; near >= 0 && near < slices.lanes.length; near += step)
      if (startedIn(near) > 0) return near
    return -1
  }
  const at = (lane: number, place: number) => {
    const places = slices.lanes[lane]!
    return places.data[Math.max(0, Math.min(startedIn(lane) - 1, place))]!
  }
  if (slice < 0) {
    const first = laneFrom(0, 1)
    return first < 0 ? -1 : at(first, 0)
  }
  const lane = slices.slot.data[slice]!
  const places = slices.lanes[lane]!
  const start = slices.start.data[slice]!
  const step = STEPS[key]
  if (step !== undefined) return at(lane, places.data.subarray(0, places.length).indexOf(slice) + step)
  if (key === 'Home') return at(lane, 0)
  if (key === 'End') return at(lane, places.length)
  const page = PAGES[key]
  if (page !== undefined) return at(lane, slices.placeAt(places, start + page * pageMs))
  const down = key === 'ArrowDown' ? 1 : -1
  const other = laneFrom(lane + down, down)
  return other < 0 ? slice : at(other, slices.placeAt(slices.lanes[other]!, start))
}

const STEPS: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowRight: 1 }
const PAGES: Readonly<Record<string, number>> = { PageUp: -1, PageDown: 1 }
const KEYS = new Set([...Object.keys(STEPS), ...Object.keys(PAGES), 'ArrowUp', 'ArrowDown', 'Home', 'End'])

interface Around {
  /** Newest first. */
  readonly shown: readonly number[]
  /** How many there are; absent when they are too many to count each time. */
  readonly total?: number
}

/** The attempts that hold a slot within a span: at most so many around one of them, or the newest where that one is not within. */
export function slicesAround(
  { slices, end }: RunStore,
  slice: number,
  { from, to }: Span,
  most: number,
): Around {
  const isWithin = (each: number) => slices.heldUntil(each, end) >= from && slices.start.data[each]! <= to
  const last = slices.firstAfter(to) - 1
  const shown: number[] = []
  if (slice >= 0 && isWithin(slice)) {
    for (let after = slice + 1; after <= last && shown.length < most >> 1; after++)
      if (isWithin(after)) shown.unshift(after)
    for (let before = slice; before >= 0 && shown.length < most; before--)
      if (isWithin(before)) shown.push(before)
  } else {
    for (let each = last; each >= 0 && shown.length < most; each--) if (isWithin(each)) shown.push(each)
  }
  let total = 0
  for (let each = last; each >= 0; each--) {
    if (!isWithin(each)) continue
    // Counting on through a long run would cost more than it tells.
    if (++total > most * 10) return { shown }
  }
  return { shown, total }
}
