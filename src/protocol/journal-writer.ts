import {
  type Block,
  COLUMN_TABLES,
  type ColumnName,
  type Columns,
  type ColumnTable,
  type ColumnType,
  emptyBlock,
  newColumns,
  TABLES,
} from './journal.ts'

/** A row as it is added: a number for each column. */
export type Row<Table extends ColumnTable> = Readonly<Record<ColumnName<Table>, number>>

/** Writes a journal row by row, and cuts it into blocks. */
export class JournalWriter {
  readonly #tables: Readonly<Record<string, TableWriter>>
  readonly #numbers = new Map<string, number>()
  #strings: string[] = []
  #stringCount = 1

  constructor() {
    this.#tables = Object.fromEntries(COLUMN_TABLES.map((table) => [table, new TableWriter(table)]))
  }

  /** The number of a text that may come again: it is written once. */
  text(text: string | undefined): number {
    if (text === undefined || text === '') return 0
    const known = this.#numbers.get(text)
    if (known !== undefined) return known
    const number = this.uniqueText(text)
    this.#numbers.set(text, number)
    return number
  }

  /** The number of a text that will hardly come again: it is not remembered. */
  uniqueText(text: string): number {
    if (text === '') return 0
    this.#strings.push(text)
    return this.#stringCount++
  }

  /** @returns The number of the row. */
  add<Table extends ColumnTable>(table: Table, row: Row<Table>): number {
    return this.#writerOf(table).add(row)
  }

  /** How many rows a table has over all blocks. */
  count(table: ColumnTable): number {
    return this.#writerOf(table).count
  }

  /** How many rows of a table wait for the next block. */
  pending(table: ColumnTable): number {
    return this.#writerOf(table).pending
  }

  /** The rows since the last block; `undefined` when there are none. */
  take(): Block | undefined {
    const isEmpty = this.#strings.length === 0 && COLUMN_TABLES.every((table) => this.pending(table) === 0)
    if (isEmpty) return undefined
    const tables: Record<string, Columns<ColumnTable>> = { ...emptyBlock().tables }
    for (const table of COLUMN_TABLES)
      if (this.pending(table) > 0) tables[table] = this.#writerOf(table).take()
    const strings = this.#strings
    this.#strings = []
    return { strings, tables: tables as unknown as Block['tables'] }
  }

  #writerOf(table: ColumnTable): TableWriter {
    return this.#tables[table] as TableWriter
  }
}

type AnyColumns = Record<string, Uint8Array | Int32Array | Float64Array | Float32Array>

/** The rows of one table that are not in a block yet, in arrays that grow. */
class TableWriter {
  readonly #table: ColumnTable
  readonly #names: readonly string[]
  #columns: AnyColumns
  #capacity = 64
  #taken = 0
  pending = 0

  constructor(table: ColumnTable) {
    this.#table = table
    this.#names = Object.keys(TABLES[table] as Readonly<Record<string, ColumnType>>)
    this.#columns = newColumns(table, this.#capacity) as unknown as AnyColumns
  }

  get count(): number {
    return this.#taken + this.pending
  }

  add(row: Readonly<Record<string, number>>): number {
    if (this.pending === this.#capacity) this.#grow()
    for (const name of this.#names) (this.#columns[name] as Float64Array)[this.pending] = row[name] as number
    this.pending++
    return this.count - 1
  }

  take(): Columns<ColumnTable> {
    const taken = this.#names.map((name) => [
      name,
      (this.#columns[name] as Float64Array).slice(0, this.pending),
    ])
    this.#taken += this.pending
    this.pending = 0
    return Object.fromEntries(taken) as Columns<ColumnTable>
  }

  #grow(): void {
    const before = this.#columns
    this.#capacity *= 2
    this.#columns = newColumns(this.#table, this.#capacity) as unknown as AnyColumns
    for (const name of this.#names) (this.#columns[name] as Float64Array).set(before[name] as Float64Array)
  }
}
