import { columns, type Points } from './geometry.ts'

/**
 * How the measurements are made comparable.
 *
 * `none`: grams and millimetres as they are. `standard`: mean 0, deviation 1. `unit`: from 0 to 1.
 */
export type Scaling = 'none' | 'standard' | 'unit'

/** Scales every column on its own; a column without spread becomes zeros. */
export function scale(rows: Points, scaling: Scaling): Points {
  const shifts = columns(rows).map((column) => shiftAndSpread(column, scaling))
  return rows.map((row) =>
    row.map((value, column) => {
      const { shift, spread } = shifts[column]!
      return spread === 0 ? 0 : (value - shift) / spread
    }),
  )
}

function shiftAndSpread(column: number[], scaling: Scaling): { shift: number; spread: number } {
  switch (scaling) {
    case 'none':
      return { shift: 0, spread: 1 }
    case 'standard': {
      const mean = column.reduce((sum, value) => sum + value, 0) / column.length
      const squares = column.reduce((sum, value) => sum + (value - mean) ** 2, 0)
      return { shift: mean, spread: Math.sqrt(squares / (column.length - 1)) }
    }
    case 'unit': {
      const least = Math.min(...column)
      return { shift: least, spread: Math.max(...column) - least }
    }
  }
}
