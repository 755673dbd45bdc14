import { type Columns, type ColumnTable, type ColumnType, newColumns, rowsOf, TABLES } from './journal.ts'

type AnyArray = Uint8Array | Int32Array | Float64Array | Float32Array

/** A typed array that grows; read it up to its length. */
export class Growable<Items extends AnyArray> {
  #items: Items
  #length = 0

  /** @param first - Its first array, which tells the type and the size to begin with. */
  constructor(first: Items) {
    this.#items = first
  }

  get length(): number {
    return this.#length
  }

  /** The array itself, longer than what is in it. Another one once it has grown. */
  get items(): Items {
    return this.#items
  }

  push(value: number): void {
    if (this.#length === this.#items.length) this.#reserve(this.#length + 1)
    this.#items[this.#length++] = value
  }

  append(values: Items): void {
    this.#reserve(this.#length + values.length)
    this.#items.set(values, this.#length)
    this.#length += values.length
  }

  get(index: number): number {
    return this.#items[index] as number
  }

  set(index: number, value: number): void {
    this.#items[index] = value
  }

  #reserve(length: number): void {
    if (length <= this.#items.length) return
    const Constructor = this.#items.constructor as new (length: number) => Items
    const larger = new Constructor(Math.max(length, this.#items.length * 2))
    larger.set(this.#items.subarray(0, this.#length))
    this.#items = larger
  }
}

/** All rows of a table over many blocks. */
export type GrowingColumns<Table extends ColumnTable> = {
  readonly [Column in keyof Columns<Table>]: Growable<Columns<Table>[Column] & AnyArray>
}

export function growingColumns<Table extends ColumnTable>(table: Table): GrowingColumns<Table> {
  const first = newColumns(table, 64) as unknown as Record<string, AnyArray>
  const columns = Object.keys(TABLES[table] as Readonly<Record<string, ColumnType>>).map((name) => [
    name,
    new Growable(first[name] as AnyArray),
  ])
  return Object.fromEntries(columns) as GrowingColumns<Table>
}

/** Appends the rows of a block. */
export function appendColumns<Table extends ColumnTable>(
  to: GrowingColumns<Table>,
  rows: Columns<Table>,
): void {
  if (rowsOf(rows) === 0) return
  for (const [name, values] of Object.entries(rows as unknown as Record<string, AnyArray>)) {
    ;(to as unknown as Record<string, Growable<AnyArray>>)[name]?.append(values)
  }
}
