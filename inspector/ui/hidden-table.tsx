import type { ComponentChildren } from 'preact'

interface Props {
  /** By which its picture names it, with `aria-details`. */
  readonly id?: string
  readonly caption: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly ComponentChildren[])[]
  /** The row that the picture's cursor is on; -1 or absent for none. */
  readonly current?: number
}

/** What a picture shows, for who cannot see it. */
export function HiddenTable({ id, caption, columns, rows, current = -1 }: Props) {
  return (
    // A table is as wide as what it holds, whatever it is told.
    <div class="visually-hidden">
      <table id={id}>
        <caption>{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((cells, row) => (
            <tr key={row} {...(row === current && { 'aria-current': true })}>
              {cells.map((cell, place) => (
                <td key={place}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
