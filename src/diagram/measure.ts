import { stateLines } from '../protocol/chart.ts'
import type { DrawnState } from './describe.ts'

/** The renderer's texts are of 10 px; a character of them is this wide on average, and at most so in nearly all words. */
const CHARACTER_WIDTH = 5.9
const TITLE_CHARACTER_WIDTH = 7
export const LINE_HEIGHT = 13
export const HEADER_HEIGHT = 24
const INSET = 10
/** Room beside a state's name for a count such as 1,234,567. */
const COUNT_WIDTH = 58

export const widthOf = (text: string): number => text.length * CHARACTER_WIDTH

/** The room that a state without children takes. */
export function sizeOf(state: DrawnState): { width: number; height: number } {
  if (state.kind === 'initial') return { width: 10, height: 10 }
  const lines = stateLines(state)
  const title = state.key.length * TITLE_CHARACTER_WIDTH + COUNT_WIDTH
  const width = Math.max(title, ...lines.map(({ text }) => widthOf(text))) + 2 * INSET
  return {
    width: Math.ceil(width),
    height: HEADER_HEIGHT + LINE_HEIGHT * lines.length + (lines.length > 0 ? 8 : 4),
  }
}
