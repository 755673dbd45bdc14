import { styleText } from 'node:util'
import { cut, widthOf } from './text.ts'

/** How a part of a line looks where colours are on; it must read as well without. */
export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

export type Segment = string | { readonly text: string; readonly style: Style }

/** A line as the renderers make it: clean text, not yet shortened or coloured. */
export type Line = readonly Segment[]

export interface Look {
  /** Columns there are; `Infinity` for lines that may wrap. */
  readonly width: number
  readonly hasColors: boolean
}

export function styled(style: Style, text: string): Segment {
  return { text, style }
}

/** Turns a line into what is printed: shortened to the width, and coloured if wanted. */
export function printable(line: Line, { width, hasColors }: Look): string {
  const segments = line.map((segment) =>
    typeof segment === 'string' ? { text: segment, style: undefined } : segment,
  )
  const isTooWide = segments.reduce((sum, { text }) => sum + widthOf(text), 0) > width
  let room = isTooWide ? width - 1 : width
  let printed = ''
  for (const { text, style } of segments) {
    const shown = cut(text, room)
    room -= widthOf(shown)
    printed +=
      hasColors && style !== undefined && shown !== ''
        ? styleText(style, shown, { validateStream: false })
        : shown
    if (shown !== text) break
  }
  return isTooWide ? `${printed}…` : printed.trimEnd()
}

/** A line as plain text, whole. */
export function lineText(line: Line): string {
  return printable(line, { width: Number.POSITIVE_INFINITY, hasColors: false })
}
