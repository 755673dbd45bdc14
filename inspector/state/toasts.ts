import { signal } from '@preact/signals'
import { plainText } from '../model/format.ts'

export interface Toast {
  readonly id: number
  readonly kind: 'done' | 'failed'
  readonly text: string
}

const SHOWN_MS = 6_000
let count = 0

export const toasts = signal<readonly Toast[]>([])

/** Tells how something went that somebody asked for. What failed stays until it is dismissed. */
export function toast(kind: Toast['kind'], text: string): void {
  const id = ++count
  toasts.value = [...toasts.peek(), { id, kind, text: plainText(text) }].slice(-5)
  if (kind === 'done') setTimeout(() => dismiss(id), SHOWN_MS)
}

export function dismiss(id: number): void {
  toasts.value = toasts.peek().filter((each) => each.id !== id)
}
