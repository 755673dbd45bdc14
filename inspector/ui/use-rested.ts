import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'

const STILL_MS = 150

/** A value as it was when it last held still: for what is only read out, or takes longer than a frame may. */
export function useRested<Value>(value: Value): Value {
  const rested = useSignal(value)
  useEffect(() => {
    const timer = setTimeout(() => {
      rested.value = value
    }, STILL_MS)
    return () => clearTimeout(timer)
  }, [value])
  return rested.value
}
