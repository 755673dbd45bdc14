import { type Signal, useSignal } from '@preact/signals'
import { useRef } from 'preact/hooks'
import { nextSlice, type SliceBounds } from '../model/slice-steps.ts'
import { selectJob } from '../state/route.ts'
import { store } from '../state/session.ts'

interface SliceCursor {
  /** The attempt it is on, -1 for none yet. */
  readonly slice: Signal<number>
  /** Moves it, or opens the job it is on: answers whether the key was one of its own. */
  readonly onKey: (event: KeyboardEvent) => boolean
  /** Puts it on an attempt and opens its job; nothing for -1. */
  readonly open: (slice: number) => void
}

/** A cursor that goes over lanes of attempts with the keys. */
export function useSliceCursor(bounds: SliceBounds, onMove?: (slice: number) => void): SliceCursor {
  const slice = useSignal(-1)
  const newest = useRef(bounds)
  newest.current = bounds
  const open = (to: number) => {
    const run = store.peek()
    if (to < 0 || run === undefined) return
    slice.value = to
    selectJob(run.idOf(run.slices.job.data[to]!))
  }
  const onKey = (event: KeyboardEvent): boolean => {
    const run = store.peek()
    if (run === undefined || event.ctrlKey || event.metaKey || event.altKey) return false
    if (event.key === 'Enter' && slice.value >= 0) {
      open(slice.value)
      return true
    }
    const next = nextSlice(run, slice.value, event.key, newest.current)
    if (next === undefined) return false
    if (next >= 0) {
      slice.value = next
      onMove?.(next)
    }
    return true
  }
  return { slice, onKey, open }
}
