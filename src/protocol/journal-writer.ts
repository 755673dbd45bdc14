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
  /** For those who write many rows: without an object for each. */
  readonly tables: { readonly [Table in ColumnTable]: TableWriter<Table> }
  readonly #numbers = new Map<string, number>()
  #strings: string[] = []
  #stringCount = 1

  constructor() {
    const tables = Object.fromEntries(COLUMN_TABLES.map((table) => [table, new TableWriter(table)]))
    this.tables = tables as unknown as JournalWriter['tables']
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

  /**
   * The rows since the last block; `undefined` when there are none.
   *
   * Its columns are those that are written on into: encode it, or copy it, before another row is added.
   */
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

  #writerOf(table: ColumnTable): TableWriter<ColumnTable> {
    return this.tables[table] as unknown as TableWriter<ColumnTable>
  }
}

type AnyColumns = Record<string, Uint8Array | Int32Array | Float64Array | Float32Array>

/** The rows of one table that are not in a block yet, in arrays that grow. */
export class TableWriter<Table extends ColumnTable> {
  readonly #table: Table
  readonly #names: readonly string[]
  #columns: Columns<Table>
  #capacity = 64
  #taken = 0
  #pending = 0

  constructor(table: Table) {
    this.#table = table
    this.#names = Object.keys(TABLES[table] as Readonly<Record<string, ColumnType>>)
    this.#columns = newColumns(table, this.#capacity)
  }

  /** Where {@link next} makes room; others once it has been called again. */
  get columns(): Columns<Table> {
    return this.#columns
  }

  /** How many rows wait for the next block. */
  get pending(): number {
    return this.#pending
  }

  get count(): number {
    return this.#taken + this.#pending
  }

  /** Makes room for a row: @returns its place in {@link columns}, each of which must be set. */
  next(): number {
    if (this.#pending === this.#capacity) this.#grow()
    return this.#pending++
  }

  /** @returns The number of the row. */
  add(row: Row<Table>): number {
    const place = this.next()
    const columns = this.#columns as unknown as AnyColumns
    const values = row as Readonly<Record<string, number>>
    for (const name of this.#names) (columns[name] as Float64Array)[place] = values[name] as number
    return this.count - 1
  }

  /** The rows that wait. */
  take(): Columns<Table> {
    const columns = this.#columns as unknown as AnyColumns
    const taken = this.#names.map((name) => [name, columns[name]?.subarray(0, this.#pending)])
    this.#taken += this.#pending
    this.#pending = 0
    return Object.fromEntries(taken) as Columns<Table>
  }

  #grow(): void {
    const before = this.#columns as unknown as AnyColumns
    this.#capacity *= 2
    this.#columns = newColumns(this.#table, this.#capacity)
    const columns = this.#columns as unknown as AnyColumns
    for (const name of this.#names) (columns[name] as Float64Array).set(before[name] as Float64Array)
  }
}
