import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { LATEST_MS, STILL_MS } from '../state/rest.ts'

/**
 * A value as it was when it last held still, or a second ago while it does not: for what is only read out, or takes longer
 * than a frame may.
 */
export function useRested<Value>(value: Value): Value {
  const rested = useSignal(value)
  const restedAt = useRef(performance.now())
  useEffect(() => {
    const left = restedAt.current + LATEST_MS - performance.now()
    const timer = setTimeout(
      () => {
        restedAt.current = performance.now()
        rested.value = value
      },
      Math.min(STILL_MS, Math.max(0, left)),
    )
    return () => clearTimeout(timer)
  }, [value])
  return rested.value
}
