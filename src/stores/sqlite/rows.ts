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
  readonly #full: number
  #cells: Cell[] = []

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
    this.#full = columns * rowsPerStatement
  }

  /** Where to push the cells of the next row; there is always room for one. */
  get next(): Cell[] {
    if (this.#cells.length === this.#full) {
      const cells = this.#cells
      this.#cells = []
      this.#many.run(...cells)
    }
    return this.#cells
  }

  flush(): void {
    const cells = this.#cells
    this.#cells = []
    if (cells.length === this.#full) {
      this.#many.run(...cells)
      return
    }
    for (let start = 0; start < cells.length; start += this.#columns) {
      this.#one.run(...cells.slice(start, start + this.#columns))
    }
  }

  /** Forgets rows that were not written: their transaction has failed. */
  drop(): void {
    this.#cells = []
  }
}
