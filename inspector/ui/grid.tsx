import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect, useId, useLayoutEffect, useRef } from 'preact/hooks'

export interface GridColumn {
  readonly key: string
  readonly title: string
  /** Read out, but not seen. */
  readonly hidesTitle?: boolean
  /** A track of CSS grid, such as `120px` or `minmax(80px, 1fr)`. */
  readonly width: string
  readonly isNumber?: boolean
  readonly cell: (row: number) => ComponentChildren
  readonly onSort?: () => void
  readonly sorted?: 'ascending' | 'descending'
}

interface Props {
  readonly label: string
  readonly role?: 'grid' | 'treegrid'
  readonly columns: readonly GridColumn[]
  readonly count: number
  /** Where the keyboard is; -1 for nowhere. */
  readonly cursor: number
  readonly onCursor: (row: number) => void
  readonly onOpen?: (row: number) => void
  /** More keys: answers whether it took one. */
  readonly onKey?: (event: KeyboardEvent, row: number) => boolean
  readonly rowProps?: (row: number) => Record<string, unknown>
  readonly rowHeight?: number
  /** Shown instead of rows. */
  readonly empty?: ComponentChildren
  /** Whether the last row is kept in view as rows come. */
  readonly sticksToEnd?: boolean
  readonly onScroll?: (isAtEnd: boolean) => void
}

/** Browsers cap the height of an element; Chromium at 33,554,428 px, Firefox lower. */
const HEIGHT_MAX = 8_000_000

/** A table of any length: only the rows in view are elements. Arrows, Page, Home and End move; Enter opens. */
export function Grid(props: Props) {
  const { label, role = 'grid', columns, count, cursor, rowHeight = 28, empty, rowProps } = props
  const id = useId()
  const box = useRef<HTMLDivElement>(null)
  const top = useSignal(0)
  const height = useSignal(400)

  const full = count * rowHeight
  const scale = full > HEIGHT_MAX ? full / HEIGHT_MAX : 1
  const viewRows = Math.ceil(height.value / rowHeight)
  const first = Math.max(0, Math.min(count - viewRows, Math.floor((top.value * scale) / rowHeight)))
  const last = Math.min(count, first + viewRows + 2)
  const offset = scale === 1 ? first * rowHeight : top.value

  useLayoutEffect(() => {
    const element = box.current!
    const sizes = new ResizeObserver(() => {
      height.value = element.clientHeight
    })
    sizes.observe(element)
    height.value = element.clientHeight
    return () => sizes.disconnect()
  }, [])

  const reveal = (row: number) => {
    const element = box.current
    if (element === null || row < 0) return
    const visible = element.clientHeight - rowHeight * 2
    const at = (row * rowHeight) / scale
    if (at < element.scrollTop) element.scrollTop = at
    else if (at > element.scrollTop + visible) element.scrollTop = at - visible
  }
  useEffect(() => reveal(cursor), [cursor])
  useEffect(() => {
    const element = box.current
    if (props.sticksToEnd && element !== null) element.scrollTop = element.scrollHeight
  }, [props.sticksToEnd, count])

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    if (props.onKey?.(event, cursor)) {
      event.preventDefault()
      event.stopPropagation()
      return
    }
    const move = MOVES[event.key]
    if (move !== undefined && count > 0) {
      props.onCursor(Math.max(0, Math.min(count - 1, move(cursor, viewRows - 2, count))))
    } else if (event.key === 'Enter' && cursor >= 0) props.onOpen?.(cursor)
    else return
    event.preventDefault()
    event.stopPropagation()
  }

  const tracks = columns.map(({ width }) => width).join(' ')
  // As wide as all columns at their narrowest: each row is a grid of its own, and no content may widen one alone.
  const minWidth = `${columns.reduce((sum, { width }) => sum + Number.parseInt(/\d+/.exec(width)?.[0] ?? '0', 10), 8)}px`
  const rows = []
  for (let row = first; row < last; row++) {
    rows.push(
      <div
        key={row % (viewRows + 3)}
        id={`${id}-${row}`}
        role="row"
        aria-rowindex={row + 2}
        aria-selected={row === cursor}
        class="grid-row"
        onClick={(event) => {
          props.onCursor(row)
          if (!(event.target as Element).closest('button, input, a')) props.onOpen?.(row)
        }}
        {...rowProps?.(row)}
        style={{ gridTemplateColumns: tracks, minWidth, height: `${rowHeight}px` }}
      >
        {columns.map(({ key, cell, isNumber }) => (
          <div key={key} role="gridcell" class={isNumber ? 'cell num' : 'cell'}>
            {cell(row)}
          </div>
        ))}
      </div>,
    )
  }

  return (
    <div
      ref={box}
      class="grid"
      role={role}
      aria-label={label}
      aria-rowcount={count + 1}
      aria-colcount={columns.length}
      aria-activedescendant={cursor >= first && cursor < last ? `${id}-${cursor}` : undefined}
      tabIndex={0}
      onKeyDown={onKeyDown}
      onScroll={(event) => {
        const { scrollTop, scrollHeight, clientHeight } = event.currentTarget
        top.value = scrollTop
        props.onScroll?.(scrollTop + clientHeight >= scrollHeight - rowHeight)
      }}
    >
      <div role="rowgroup" class="grid-head">
        <div role="row" aria-rowindex={1} class="grid-row" style={{ gridTemplateColumns: tracks, minWidth }}>
          {columns.map((column) => (
            <div
              key={column.key}
              role="columnheader"
              class={column.isNumber ? 'cell num' : 'cell'}
              {...(column.sorted && { 'aria-sort': column.sorted })}
            >
              {column.onSort === undefined ? (
                <span class={column.hidesTitle ? 'visually-hidden' : ''}>{column.title}</span>
              ) : (
                <button type="button" class="plain sort" tabIndex={-1} onClick={column.onSort}>
                  {column.title}
                  {column.sorted && (
                    <span aria-hidden="true">{column.sorted === 'ascending' ? ' ↑' : ' ↓'}</span>
                  )}
                </button>
              )}
            </div>
          ))}
        </div>
      </div>
      {count === 0 ? (
        <div role="row">
          <div role="gridcell">{empty}</div>
        </div>
      ) : (
        <div role="rowgroup" class="grid-body" style={{ height: `${full / scale}px` }}>
          <div role="presentation" style={{ transform: `translateY(${offset}px)` }}>
            {rows}
          </div>
        </div>
      )}
    </div>
  )
}

const MOVES: Readonly<Record<string, (row: number, page: number, count: number) => number>> = {
  ArrowDown: (row) => row + 1,
  ArrowUp: (row) => row - 1,
  j: (row) => row + 1,
  k: (row) => row - 1,
  PageDown: (row, page) => row + page,
  PageUp: (row, page) => row - page,
  Home: () => 0,
  End: (_, __, count) => count - 1,
}
