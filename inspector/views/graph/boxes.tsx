import { useMemo } from 'preact/hooks'
import { layOutLayers } from '../../model/layered.ts'
import { ArrowTip } from '../../ui/arrow-tip.tsx'

/** A node of the picture. */
export interface GraphBox {
  readonly key: string
  readonly title: string
  readonly lines: readonly string[]
  readonly tone: string
  /** A part of it that is filled, from 0 to 1. */
  readonly share?: number
  readonly isMain?: boolean
  readonly isHeavy?: boolean
  readonly href?: string
  readonly onOpen?: () => void
  /** With a double click: the picture goes on from here. */
  readonly onFocus?: () => void
}

export interface GraphEdge {
  readonly from: number
  readonly to: number
  readonly label?: string
  readonly weight?: number
  readonly isHeavy?: boolean
}

const WIDTH = 158
const LINE = 14
/** A wide picture shrinks to the room it has, but not so far that its words cannot be read. */
const LEAST_SCALE = 0.72

/** A small graph as SVG, in layers from left to right. */
export function Boxes({
  label,
  boxes,
  edges,
}: {
  label: string
  boxes: readonly GraphBox[]
  edges: readonly GraphEdge[]
}) {
  const heights = boxes.map(({ lines }) => 30 + lines.length * LINE)
  const shape = `${heights.join()} ${edges.map(({ from, to }) => `${from}-${to}`).join()}`
  const layout = useMemo(
    () =>
      layOutLayers({
        sizes: heights.map((height) => ({ width: WIDTH, height })),
        edges: edges.map(({ from, to }) => [from, to] as const),
      }),
    [shape],
  )
  const heaviest = Math.max(1, ...edges.map(({ weight = 1 }) => weight))
  // Loops stand above their box.
  const pad = 40
  const [width, height] = [layout.width + pad * 2, layout.height + pad * 2]
  return (
    <div class="graph-room" tabIndex={0} role="region" aria-label={`${label}, to scroll`}>
      <svg
        class="graph"
        viewBox={`${-pad} ${-pad} ${width} ${height}`}
        style={{ width: `${width}px`, minWidth: `${width * LEAST_SCALE}px` }}
        role="group"
        aria-label={label}
      >
        <defs>
          {['', '-on'].map((kind) => (
            <ArrowTip key={kind} id={`tip${kind}`} class={`arrow${kind}`} />
          ))}
        </defs>
        {edges.map(({ from, to, label: text, weight = 1, isHeavy }) => {
          const path = pathOf(
            layout.x[from]!,
            layout.y[from]! + heights[from]! / 2,
            layout.x[to]!,
            layout.y[to]! + heights[to]! / 2,
            from === to,
          )
          return (
            <g key={`${from} ${to}`} class={isHeavy ? 'edge-on' : 'edge'}>
              <path
                d={path.d}
                class="line"
                marker-end={`url(#tip${isHeavy ? '-on' : ''})`}
                style={{
                  strokeWidth: isHeavy
                    ? 2.2
                    : 1 + ((2.5 * Math.log1p(weight)) / Math.log1p(heaviest)) * (text === undefined ? 0 : 1),
                }}
              />
              {text !== undefined && (
                <text x={path.x} y={path.y} class="edge-count">
                  {text}
                </text>
              )}
            </g>
          )
        })}
        {boxes.map((box, place) => (
          <Box key={box.key} box={box} x={layout.x[place]!} y={layout.y[place]!} height={heights[place]!} />
        ))}
      </svg>
    </div>
  )
}

function Box({ box, x, y, height }: { box: GraphBox; x: number; y: number; height: number }) {
  const { title, lines, tone, share, isMain, isHeavy, href, onOpen, onFocus } = box
  const inside = (
    <>
      <rect x={x} y={y} width={WIDTH} height={height} rx={7} class="graph-box" />
      {share !== undefined && (
        <rect
          x={x + 1}
          y={y + height - 4}
          width={(WIDTH - 2) * share}
          height={3}
          rx={1.5}
          class="graph-share"
        />
      )}
      <text x={x + 10} y={y + 18} class="state-name">
        {shorten(title)}
      </text>
      {lines.map((line, index) => (
        <text key={line} x={x + 10} y={y + 33 + index * LINE} class="state-effect">
          {line}
        </text>
      ))}
    </>
  )
  const name = `graph-node ${tone} ${isMain ? 'main' : ''} ${isHeavy ? 'heavy' : ''}`
  if (href !== undefined)
    return (
      <a href={href} class={name}>
        {inside}
      </a>
    )
  return (
    <g
      class={name}
      role="button"
      tabIndex={0}
      onClick={onOpen}
      onDblClick={onFocus}
      onKeyDown={(event) => {
        if (event.key === 'Enter') onOpen?.()
        else if (event.key === 'f') onFocus?.()
        else return
        event.preventDefault()
        event.stopPropagation()
      }}
    >
      {inside}
    </g>
  )
}

const shorten = (text: string): string => (text.length > 19 ? `${text.slice(0, 18)}…` : text)

/** A curve from the right side of a box to the left side of another; backwards and to itself it goes around. */
function pathOf(
  fromX: number,
  fromY: number,
  toX: number,
  toY: number,
  isLoop: boolean,
): { d: string; x: number; y: number } {
  const [x1, x2] = [fromX + WIDTH, toX]
  if (isLoop) {
    const top = fromY - 34
    return {
      d: `M${x1 - 24} ${fromY - 14}C${x1 + 20} ${top - 24} ${fromX - 20} ${top - 24} ${fromX + 24} ${fromY - 16}`,
      x: fromX + WIDTH / 2,
      y: top - 8,
    }
  }
  const bend = Math.max(26, Math.abs(x2 - x1) / 2)
  const sag = x2 < x1 ? 46 + Math.abs(x2 - x1) / 12 : 0
  return {
    d: `M${x1} ${fromY}C${x1 + bend} ${fromY + sag} ${x2 - bend} ${toY + sag} ${x2} ${toY}`,
    x: (x1 + x2) / 2,
    y: (fromY + toY) / 2 + sag * 0.75 - 4,
  }
}
