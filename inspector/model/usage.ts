import type { RunStore } from './run-store.ts'

/** How busy each slot was in each of so many equal parts of a span: a share from 0 to 1, slot after slot. */
export function slotUsage(run: RunStore, from: number, to: number, parts: number): Float32Array {
  const { slices } = run
  const usage = new Float32Array(slices.lanes.length * parts)
  const width = (to - from) / parts
  for (let slice = 0; slice < slices.length; slice++) {
    const start = Math.max(from, slices.start.data[slice]!)
    const end = Math.min(to, slices.heldUntil(slice, to))
    if (end <= start) continue
    const lane = slices.slot.data[slice]! * parts
    const last = Math.min(parts - 1, Math.floor((end - from) / width))
    for (let part = Math.floor((start - from) / width); part <= last; part++) {
      const partStart = from + part * width
      usage[lane + part]! += (Math.min(end, partStart + width) - Math.max(start, partStart)) / width
    }
  }
  return usage
}
