import { type Signal, useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { formatSpan, parseSpan, type Span } from '../model/span.ts'
import { route, setParams } from '../state/route.ts'

const STILL_MS = 150

/**
 * A span that stands in the address under a name, counted from `origin`: a reload and a copied link show it again.
 *
 * It is written once it holds still, and without an entry in the history: browsers allow only so many a second, and who
 * goes back wants the view before, not each turn of the wheel.
 */
export function useLinkedSpan(name: string, origin: number): Signal<Span | undefined> {
  const asked = route.value.params[name] ?? ''
  const span = useSignal(parseSpan(asked, origin))
  const known = useRef(asked)
  useEffect(() => {
    if (asked === known.current) return
    known.current = asked
    span.value = parseSpan(asked, origin)
  }, [asked])
  const shown = formatSpan(span.value, origin)
  useEffect(() => {
    if (shown === known.current) return undefined
    const timer = setTimeout(() => {
      known.current = shown
      setParams({ [name]: shown })
    }, STILL_MS)
    return () => clearTimeout(timer)
  }, [shown])
  return span
}
