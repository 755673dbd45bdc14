import type { DatabaseSync, StatementSync } from 'node:sqlite'

export type Cell = string | number | null

/**
 * Writes rows of one kind, several with each statement: the way to SQLite costs as much as a small row does.
 *
 * Rows wait here until a statement is full; {@link flush} writes what is left.
 */
export class RowWriter {
  readonly #many: StatementSync
  readonly #one: StatementSync
  readonly #columns: number
  /** As many as a full statement takes; used again and again. */
  readonly #cells: Cell[]
  #filled = 0

  /** @param statement - Makes the statement for some rows, given as `VALUES …`. */
  constructor(
    db: DatabaseSync,
    columns: number,
    rowsPerStatement: number,
    statement: (rows: string) => string,
  ) {
    const row = `(${Array(columns).fill('?').join(', ')})`
    this.#many = db.prepare(statement(`VALUES ${Array(rowsPerStatement).fill(row).join(', ')}`))
    this.#one = db.prepare(statement(`VALUES ${row}`))
    this.#columns = columns
    this.#cells = Array<Cell>(columns * rowsPerStatement).fill(null)
  }

  /** Adds cells to the last row, or as the first ones of the next. */
  push(...cells: readonly Cell[]): void {
    if (this.#filled === this.#cells.length) this.flush()
    for (let index = 0; index < cells.length; index++) this.#cells[this.#filled++] = cells[index] as Cell
  }

  flush(): void {
    const cells = this.#cells
    if (this.#filled === cells.length) this.#many.run(...cells)
    else
      for (let start = 0; start < this.#filled; start += this.#columns)
        this.#one.run(...cells.slice(start, start + this.#columns))
    this.drop()
  }

  /** Forgets its rows: they are written, or their transaction has failed. What they held may be large. */
  drop(): void {
    this.#cells.fill(null, 0, this.#filled)
    this.#filled = 0
  }
}
