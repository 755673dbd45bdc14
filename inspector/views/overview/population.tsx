import { useMemo } from 'preact/hooks'
import { JOB_STATES } from '../../../src/protocol/index.ts'
import { flowsOf } from '../../model/flows.ts'
import { formatCount, formatShort } from '../../model/format.ts'
import { ABSENT, STATE_NAMES } from '../../model/job-states.ts'
import { go, hrefOf } from '../../state/route.ts'
import { store } from '../../state/session.ts'
import { momentOf } from '../../state/time.ts'
import { ArrowTip } from '../../ui/arrow-tip.tsx'

const BOX = { width: 112, height: 46 }
const GROUP_LABEL = 18
const COLUMN = 140
const ROW = 118
const PAD = 12

/** The job's states as rows: waiting, at work, over; each group is one state of the chart with the leaves inside it. */
const GROUPS = groupsOf()
const HEIGHT = GROUPS.length * ROW + PAD
const WIDTH = Math.max(...GROUPS.map(({ states }) => states.length)) * COLUMN + PAD * 2

/** Where the jobs are at this moment, and how many ever went which way. */
export function Population() {
  const run = store.value!
  const { counts } = momentOf(run)
  const flows = useMemo(() => flowsOf(run).filter(({ from }) => from !== ABSENT), [run, run.version])
  const most = Math.max(1, ...flows.map(({ count }) => count))
  return (
    <div class="population">
      <svg
        class="flow"
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="group"
        aria-label="Jobs in each state of their chart"
      >
        <defs>
          <ArrowTip id="flow-tip" size={8} />
        </defs>
        {GROUPS.filter(({ name }) => name !== '').map(({ name, row, states }) => (
          <g key={name} class="flow-group">
            <rect
              x={PAD / 2}
              y={row * ROW + 2}
              width={states.length * COLUMN + PAD}
              height={BOX.height + GROUP_LABEL + 18}
              rx={9}
            />
            <text x={PAD / 2 + 10} y={row * ROW + 17}>
              {name}
            </text>
          </g>
        ))}
        {flows.map(({ from, to, count }) => (
          <Flow key={`${from} ${to}`} from={from} to={to} count={count} most={most} />
        ))}
        {GROUPS.flatMap(({ states }) => states).map((state) => (
          <Box key={state} state={state} count={counts[state]!} />
        ))}
      </svg>
      <p class="visually-hidden">
        <a href={hrefOf('machines', { actor: 'jobs' })}>The whole chart</a>
      </p>
    </div>
  )
}

function Box({ state, count }: { state: number; count: number }) {
  const { x, y } = placeOf(state)
  const name = STATE_NAMES[state] ?? ''
  const open = () => go('jobs', { q: `state:${name}` })
  return (
    <g
      class={`flow-box s-${name} ${count > 0 ? 'active' : ''}`}
      role="button"
      tabIndex={0}
      onClick={open}
      onKeyDown={(event) => {
        if (event.key !== 'Enter') return
        event.preventDefault()
        open()
      }}
    >
      <rect x={x} y={y} width={BOX.width} height={BOX.height} rx={7} />
      <text x={x + 10} y={y + 18} class="flow-name">
        {name}
      </text>
      <text x={x + 10} y={y + 37} class="flow-count">
        {formatShort(count)}
      </text>
    </g>
  )
}

function Flow({ from, to, count, most }: { from: number; to: number; count: number; most: number }) {
  const { d, x, y } = curveBetween(from, to)
  return (
    <g class="flow-edge">
      <title>{`${STATE_NAMES[from]} → ${STATE_NAMES[to]}: ${formatCount(count)} times`}</title>
      <path
        d={d}
        marker-end="url(#flow-tip)"
        style={{ strokeWidth: 1 + (2.6 * Math.log1p(count)) / Math.log1p(most) }}
      />
      <text x={x} y={y}>
        {formatShort(count)}
      </text>
    </g>
  )
}

interface Group {
  readonly name: string
  readonly row: number
  readonly states: readonly number[]
}

/** Leaves with a common parent are a group; those without one are the last row. */
function groupsOf(): Group[] {
  const groups = new Map<string, number[]>()
  JOB_STATES.forEach((state, index) => {
    const name = state.includes('.') ? (state.split('.')[0] ?? '') : ''
    groups.set(name, [...(groups.get(name) ?? []), index])
  })
  return [...groups].map(([name, states], row) => ({ name, row, states }))
}

function placeOf(state: number): { x: number; y: number; row: number; column: number } {
  const group = GROUPS.find(({ states }) => states.includes(state))!
  const column = group.states.indexOf(state)
  const x = PAD + column * COLUMN + (COLUMN - BOX.width) / 2
  return { x, y: group.row * ROW + GROUP_LABEL + 8, row: group.row, column }
}

/** Down from bottom to top; back up from side to side; along a row from one side to the other. */
function curveBetween(from: number, to: number): { d: string; x: number; y: number } {
  const [a, b] = [placeOf(from), placeOf(to)]
  const middle = ({ x }: { x: number }) => x + BOX.width / 2
  if (a.row === b.row) {
    const isRight = a.column < b.column
    const [x1, x2] = isRight ? [a.x + BOX.width, b.x] : [a.x, b.x + BOX.width]
    if (Math.abs(a.column - b.column) === 1)
      return { d: `M${x1} ${a.y + 23}H${x2}`, x: (x1 + x2) / 2, y: a.y + 17 }
    const top = a.y - 13
    return {
      d: `M${middle(a)} ${a.y}C${middle(a)} ${top} ${middle(b)} ${top} ${middle(b)} ${b.y}`,
      x: (middle(a) + middle(b)) / 2,
      y: top + 6,
    }
  }
  const shift = (b.column - a.column) * 9
  if (a.row < b.row) {
    const [x1, y1, x2, y2] = [middle(a) + shift, a.y + BOX.height, middle(b) - shift, b.y]
    const bend = (y2 - y1) / 2
    const share = 0.62
    return {
      d: `M${x1} ${y1}C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2}`,
      x: x1 + (x2 - x1) * share + 11,
      y: y1 + (y2 - y1) * share,
    }
  }
  const [x1, y1, x2, y2] = [middle(a) + 26, a.y, middle(b) + 26 + shift, b.y + BOX.height]
  return {
    d: `M${x1} ${y1}C${x1} ${y1 - 34} ${x2} ${y2 + 34} ${x2} ${y2}`,
    x: (x1 + x2) / 2 + 12,
    y: (y1 + y2) / 2,
  }
}
