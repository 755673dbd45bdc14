import { useSignal } from '@preact/signals'
import type { RefObject } from 'preact'
import { useLayoutEffect } from 'preact/hooks'

/** Width over height of an element, as it changes. */
export function useAspect(element: RefObject<HTMLElement | null>): number {
  const aspect = useSignal(1)
  useLayoutEffect(() => {
    const sizes = new ResizeObserver(([entry]) => {
      const { width = 1, height = 1 } = entry?.contentRect ?? {}
      if (height > 0) aspect.value = width / height
    })
    if (element.current !== null) sizes.observe(element.current)
    return () => sizes.disconnect()
  }, [])
  return aspect.value
}
