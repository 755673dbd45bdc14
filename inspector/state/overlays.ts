import { signal } from '@preact/signals'
import type { ComponentChildren } from 'preact'

export const isPaletteOpen = signal(false)
export const isHelpOpen = signal(false)

/** A question that must be answered before something happens. */
export interface Question {
  readonly title: string
  readonly body: ComponentChildren
  readonly confirm: string
  readonly isDangerous?: boolean
  readonly onConfirm: () => unknown
}

export const question = signal<Question | undefined>(undefined)

/** Whether single letters are keys of their own (WCAG 2.1.4: they can be switched off). */
export const hasLetterKeys = signal(true)
