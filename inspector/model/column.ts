type Numbers = Uint8Array | Uint16Array | Uint32Array | Int32Array | Float32Array | Float64Array

/** A typed array that grows at its end; `data` may be longer than `length`. */
export class Column<Data extends Numbers> {
  data: Data
  length = 0
  readonly #make: new (
    length: number,
  ) => Data

  constructor(make: new (length: number) => Data, capacity = 256) {
    this.#make = make
    this.data = new make(capacity)
  }

  push(value: number): void {
    if (this.length === this.data.length) this.reserve(this.length + 1)
    this.data[this.length++] = value
  }

  /** Appends `count` times the same value. */
  fill(value: number, count: number): void {
    this.reserve(this.length + count)
    this.data.fill(value, this.length, this.length + count)
    this.length += count
  }

  append(values: ArrayLike<number>): void {
    this.reserve(this.length + values.length)
    this.data.set(values, this.length)
    this.length += values.length
  }

  /** Makes room for `length` values in all. */
  reserve(length: number): void {
    if (length <= this.data.length) return
    const grown = new this.#make(Math.max(length, Math.ceil(this.data.length * 1.5)))
    grown.set(this.data)
    this.data = grown
  }

  get bytes(): number {
    return this.data.byteLength
  }
}

/** Appends rows, each column of theirs to the one of its name. */
export function append<Names extends string>(
  to: Readonly<Record<Names, { append(values: ArrayLike<number>): void }>>,
  rows: Readonly<Record<Names, ArrayLike<number>>>,
): void {
  for (const name of Object.keys(rows) as Names[]) to[name].append(rows[name])
}

/** Makes room in each column for so many times what it holds. */
export function reserveTimes(times: number, columns: Iterable<Column<Numbers>>): void {
  for (const column of columns) column.reserve(Math.ceil(column.length * times))
}

export const u8 = (): Column<Uint8Array> => new Column(Uint8Array)
export const u16 = (): Column<Uint16Array> => new Column(Uint16Array)
export const u32 = (): Column<Uint32Array> => new Column(Uint32Array)
export const i32 = (): Column<Int32Array> => new Column(Int32Array)
export const f32 = (): Column<Float32Array> => new Column(Float32Array)
export const f64 = (): Column<Float64Array> => new Column(Float64Array)

/** The first index in `[low, high)` whose value is above `value`; `high` when there is none. */
export function upperBound(data: ArrayLike<number>, value: number, low: number, high: number): number {
  let [from, to] = [low, high]
  while (from < to) {
    const middle = (from + to) >>> 1
    if (data[middle]! <= value) from = middle + 1
    else to = middle
  }
  return from
}
