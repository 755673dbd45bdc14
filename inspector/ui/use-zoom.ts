import type { Signal } from '@preact/signals'
import type { RefObject } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type { Span } from '../model/span.ts'

interface Bounds {
  readonly low: number
  readonly high: number
  /** The narrowest span that can be zoomed to. */
  readonly least: number
}

export interface Zoom extends Span {
  set(from: number, to: number): void
  /** Moves just so far that a span is in view. */
  reveal(from: number, to: number): void
  fit(): void
  /** Makes what is in the middle so many times larger. */
  by(times: number): void
  /** `+ - 0` and W A S D, as trace viewers have them. */
  onKey(event: KeyboardEvent): boolean
  /** Whether the last press moved the picture: then it was no click. */
  wasDragged(): boolean
}

const STEP = 1.25
const CLICK_PX = 4
/** Fingers are never taken to be nearer to each other: a picture would leap. */
const FINGER_PX = 24

interface Point {
  readonly x: number
  readonly y: number
}

/**
 * A span of an axis in view: the wheel zooms at the pointer and two fingers where they are; dragging moves, a wheel to the
 * side moves too.
 *
 * @param span - What is in view; `undefined`, until somebody zooms, for all, however it grows.
 */
export function useZoom(
  element: RefObject<HTMLElement | null>,
  bounds: Bounds,
  span: Signal<Span | undefined>,
): Zoom {
  const limits = useRef(bounds)
  limits.current = bounds
  const dragged = useRef(false)

  const now = () => inView(span.peek(), limits.current)
  const set = (from: number, to: number) => {
    const { low, high, least } = limits.current
    const width = Math.min(high - low, Math.max(least, to - from))
    if (width >= high - low) {
      span.value = undefined
      return
    }
    const start = Math.min(high - width, Math.max(low, from + (to - from - width) / 2))
    span.value = { from: start, to: start + width }
  }
  const zoomAt = (share: number, factor: number) => {
    const { from, to } = now()
    const at = from + (to - from) * share
    set(at - (at - from) * factor, at + (to - at) * factor)
  }
  const move = (share: number) => {
    const { from, to } = now()
    const by = (to - from) * share
    const { low, high } = limits.current
    const most = Math.max(low - from, Math.min(high - to, by))
    set(from + most, to + most)
  }

  useEffect(() => {
    const box = element.current
    if (box === null) return undefined
    const onWheel = (event: WheelEvent) => {
      if (event.shiftKey && !event.ctrlKey) return
      event.preventDefault()
      const { left, width } = box.getBoundingClientRect()
      if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) move(event.deltaX / width)
      else zoomAt((event.clientX - left) / width, event.deltaY > 0 ? STEP : 1 / STEP)
    }
    /** Where the mouse, or each finger, was last. */
    const held = new Map<number, Point>()
    const onDown = (event: PointerEvent) => {
      if (held.size === 0) dragged.current = false
      if (event.button === 0) held.set(event.pointerId, pointOf(event))
    }
    const onMove = (event: PointerEvent) => {
      const last = held.get(event.pointerId)
      if (last === undefined) return
      if (event.buttons !== 1) {
        held.delete(event.pointerId)
        return
      }
      const point = pointOf(event)
      let other: Point | undefined
      for (const [id, at] of held) if (id !== event.pointerId) other = at
      if (other === undefined) {
        if (!dragged.current && Math.abs(point.x - last.x) < CLICK_PX) return
        move((last.x - point.x) / box.clientWidth)
      } else {
        const { left, width } = box.getBoundingClientRect()
        const apart = (each: Point) => Math.max(FINGER_PX, Math.hypot(each.x - other.x, each.y - other.y))
        zoomAt((other.x - left) / width, apart(last) / apart(point))
      }
      dragged.current = true
      held.set(event.pointerId, point)
    }
    const onUp = (event: PointerEvent) => held.delete(event.pointerId)
    const types = { pointerdown: onDown, pointermove: onMove, pointerup: onUp, pointercancel: onUp }
    const listeners = Object.entries(types) as [string, (event: Event) => void][]
    box.addEventListener('wheel', onWheel, { passive: false })
    for (const [type, listener] of listeners) box.addEventListener(type, listener)
    return () => {
      box.removeEventListener('wheel', onWheel)
      for (const [type, listener] of listeners) box.removeEventListener(type, listener)
    }
  }, [])

  const keys: Readonly<Record<string, () => void>> = {
    '+': () => zoomAt(0.5, 1 / STEP),
    '=': () => zoomAt(0.5, 1 / STEP),
    w: () => zoomAt(0.5, 1 / STEP),
    '-': () => zoomAt(0.5, STEP),
    s: () => zoomAt(0.5, STEP),
    a: () => move(-0.15),
    d: () => move(0.15),
    '0': () => {
      span.value = undefined
    },
  }
  const { from, to } = inView(span.value, bounds)
  return {
    from,
    to,
    set,
    fit: () => {
      span.value = undefined
    },
    by: (times) => zoomAt(0.5, 1 / times),
    reveal: (low, high) => {
      const view = now()
      if (low >= view.from && high <= view.to) return
      const width = Math.max(view.to - view.from, (high - low) * 1.1)
      set((low + high - width) / 2, (low + high + width) / 2)
    },
    onKey: (event) => {
      const act = keys[event.key]
      act?.()
      return act !== undefined
    },
    wasDragged: () => dragged.current,
  }
}

const pointOf = ({ clientX: x, clientY: y }: PointerEvent): Point => ({ x, y })

/** All, unless a part of it is chosen: an address may name what is not there, or not yet. */
const inView = (span: Span | undefined, { low, high }: Bounds): Span =>
  span !== undefined && span.from < high ? span : { from: low, to: high }
