import { ByteReader, ByteWriter } from './bytes.ts'
import {
  type Block,
  type Columns,
  type ColumnTable,
  type ColumnType,
  emptyBlock,
  newColumns,
  rowsOf,
  TABLE_NAMES,
  TABLES,
} from './journal.ts'

/**
 * A block in bytes:
 *
 * - byte: the version, 1;
 * - for each table that has rows, byte: its place in `TABLE_NAMES`; varint: how many rows; then its columns in the order
 *   of `TABLES`, or for `strings` each text as a varint of its length in bytes and UTF-8;
 * - a column is a byte, how it is written, and then: {@link CONSTANT} one float64 for all rows; {@link PLAIN} a byte a
 *   row, or a float32 a row; {@link DELTAS} a varint a row, the difference to the row before (before the first: 0),
 *   folded so that small negative ones are small (0, -1, 1, -2, … as 0, 1, 2, 3, …).
 */
const VERSION = 1

const CONSTANT = 0
const PLAIN = 1
const DELTAS = 2

/** What most blocks fit into, so that they are written in one go. */
const FIRST_BYTES = 1024
const BYTES_PER_EVENT = 8

/** More rows than this take a byte each, at least: they are not all the same. Where there are fewer bytes, it is damage. */
const SAME_ROWS_MAX = 2_000

export function encodeBlock(block: Block): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(FIRST_BYTES + BYTES_PER_EVENT * rowsOf(block.tables.events))
  writer.byte(VERSION)
  TABLE_NAMES.forEach((table, place) => {
    const rows = table === 'strings' ? block.strings.length : rowsOf(block.tables[table])
    if (rows === 0) return
    writer.byte(place)
    writer.varint(rows)
    if (table === 'strings') writeStrings(writer, block.strings)
    else writeColumns(writer, table, block.tables[table], rows)
  })
  return writer.take()
}

/** @throws {DecodeError} When the bytes are not a block of this version. */
export function decodeBlock(bytes: Uint8Array): Block {
  const reader = new ByteReader(bytes)
  const version = reader.byte()
  if (version !== VERSION) throw reader.error(`a block of version ${version}, where ${VERSION} was expected`)
  const block = emptyBlock()
  let strings: readonly string[] = []
  const tables: Record<string, Columns<ColumnTable>> = { ...block.tables }
  while (reader.left > 0) {
    const table = TABLE_NAMES[reader.byte()]
    if (table === undefined) throw reader.error('it has a table that does not exist')
    const rows = reader.varint()
    if (rows > Math.max(SAME_ROWS_MAX, reader.left)) throw reader.error(`a table of ${rows} rows`)
    if (table === 'strings') strings = readStrings(reader, rows)
    else tables[table] = readColumns(reader, table, rows)
  }
  return { strings, tables: tables as unknown as Block['tables'] }
}

const textEncoder = new TextEncoder()
const textDecoder = new TextDecoder()

function writeStrings(writer: ByteWriter, strings: readonly string[]): void {
  for (const text of strings) {
    const bytes = textEncoder.encode(text)
    writer.varint(bytes.length)
    writer.bytes(bytes)
  }
}

function readStrings(reader: ByteReader, rows: number): string[] {
  const strings: string[] = []
  for (let row = 0; row < rows; row++) strings.push(textDecoder.decode(reader.bytes(reader.varint())))
  return strings
}

function writeColumns(
  writer: ByteWriter,
  table: ColumnTable,
  columns: Columns<ColumnTable>,
  rows: number,
): void {
  for (const [name, type] of Object.entries<ColumnType>(TABLES[table])) {
    const column = (columns as Readonly<Record<string, ArrayLike<number>>>)[name] as ArrayLike<number>
    if (isConstant(column)) {
      writer.byte(CONSTANT)
      writer.float64(column[0] as number)
    } else if (type === 'byte' || type === 'float') {
      writer.byte(PLAIN)
      if (column instanceof Uint8Array) writer.bytes(column)
      else for (let row = 0; row < rows; row++) writer.float32(column[row] as number)
    } else {
      writer.byte(DELTAS)
      writer.deltas(column)
    }
  }
}

function isConstant(column: ArrayLike<number>): boolean {
  for (let row = 1; row < column.length; row++) if (!Object.is(column[row], column[0])) return false
  return true
}

function readColumns(reader: ByteReader, table: ColumnTable, rows: number): Columns<ColumnTable> {
  const columns = newColumns(table, rows)
  for (const [name, type] of Object.entries<ColumnType>(TABLES[table])) {
    const column = (columns as unknown as Record<string, Float64Array>)[name] as Float64Array
    const written = reader.byte()
    if (written === CONSTANT) column.fill(reader.float64())
    else if (written === PLAIN && type === 'byte') column.set(reader.bytes(rows))
    else if (written === PLAIN && type === 'float') {
      for (let row = 0; row < rows; row++) column[row] = reader.float32()
    } else if (written === DELTAS) {
      let value = 0
      for (let row = 0; row < rows; row++) {
        const folded = reader.varint()
        value += folded % 2 === 0 ? folded / 2 : -(folded + 1) / 2
        column[row] = value
      }
    } else throw reader.error(`a column of ${table} that is written in no known way`)
  }
  return columns
}
