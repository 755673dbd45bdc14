import { signal, useComputed } from '@preact/signals'
import { useRef } from 'preact/hooks'
import { formatClock, formatCount, formatRate } from '../model/format.ts'
import { connection, store, tick } from '../state/session.ts'
import {
  follow,
  isFollowing,
  isPlaying,
  momentOf,
  now,
  SPEEDS,
  seek,
  speed,
  stepBy,
  togglePlay,
} from '../state/time.ts'
import { Canvas, type Surface } from '../ui/canvas.tsx'
import { Icon } from '../ui/icons.tsx'
import { SeriesTable } from '../ui/series-table.tsx'

const ENDS = ['completed', 'failed', 'cancelled'] as const
/** The strip's cursor is the moment itself. */
const noCursor = signal(-1)

/** The run's time: activity, failures, the moment shown; drag it, or use the arrow keys. */
export function TimeBar() {
  const run = store.value
  if (run === undefined || run.eventCount === 0) return <div class="time" />
  const isLive = connection.value.kind === 'live'
  return (
    <section class="time" aria-label="Time">
      <div class="time-buttons">
        <button
          type="button"
          class="plain square"
          onClick={() => stepBy(-1)}
          aria-label="One event back"
          title="One event back (,)"
        >
          <Icon name="back" size={14} />
        </button>
        <button
          type="button"
          class="square"
          onClick={togglePlay}
          aria-label={isPlaying.value ? 'Hold' : 'Play'}
          title="Play or hold (Space)"
        >
          <Icon name={isPlaying.value ? 'pause' : 'play'} size={14} />
        </button>
        <button
          type="button"
          class="plain square"
          onClick={() => stepBy(1)}
          aria-label="One event on"
          title="One event on (.)"
        >
          <Icon name="forward" size={14} />
        </button>
        <select
          aria-label="Speed"
          value={speed.value}
          onChange={(event) => (speed.value = Number(event.currentTarget.value))}
        >
          {SPEEDS.map((factor) => (
            <option key={factor} value={factor}>
              ×{factor}
            </option>
          ))}
        </select>
      </div>
      <Strip />
      <TimeText />
      <button
        type="button"
        aria-pressed={isFollowing.value}
        onClick={follow}
        title="Follow the newest moment (L)"
      >
        {isLive ? 'Live' : 'End'}
      </button>
    </section>
  )
}

function TimeText() {
  const run = store.value!
  const moment = momentOf(run)
  return (
    <span class="time-text">
      <b>{formatClock(moment.at - run.epoch)}</b>
      <span class="muted">
        event {formatCount(moment.step)} of {formatCount(run.eventCount)}
      </span>
    </span>
  )
}

function Strip() {
  const run = store.value!
  const box = useRef<HTMLDivElement>(null)
  const share = useComputed(() => {
    const span = run.end - run.epoch
    return span > 0 ? Math.min(1, (now.value - run.epoch) / span) : 1
  })
  const seekTo = (event: PointerEvent) => {
    const { left, width } = box.current!.getBoundingClientRect()
    seek(run.epoch + ((event.clientX - left) / width) * (run.end - run.epoch))
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const span = run.end - run.epoch
    const moves: Record<string, number> = {
      ArrowLeft: -span / 200,
      ArrowRight: span / 200,
      PageDown: -span / 20,
      PageUp: span / 20,
    }
    const move = moves[event.key]
    if (event.key === 'Home') seek(run.epoch)
    else if (event.key === 'End') follow()
    else if (move !== undefined) seek(now.peek() + move)
    else return
    event.preventDefault()
  }
  return (
    <>
      <div
        ref={box}
        class="strip"
        role="slider"
        tabIndex={0}
        aria-label="Moment of the run"
        aria-valuemin={0}
        aria-valuemax={Math.round(run.end - run.epoch)}
        aria-valuenow={Math.round(now.value - run.epoch)}
        aria-valuetext={formatClock(now.value - run.epoch)}
        aria-details="strip-table"
        onKeyDown={onKeyDown}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId)
          seekTo(event)
        }}
        onPointerMove={(event) => event.buttons === 1 && seekTo(event)}
      >
        <Activity />
        <i class="playhead" style={{ left: `${share.value * 100}%` }} />
      </div>
      <SeriesTable
        id="strip-table"
        caption="Jobs that ended, per second"
        columns={ENDS}
        data={() => [run.series.instants(), ...ENDS.map((name) => run.series.rate(name))]}
        cursor={noCursor}
        format={formatRate}
      />
    </>
  )
}

/** Jobs that ended over time, and a tick where some failed. */
function Activity() {
  const run = store.value!
  const paint = ({ context, width, height, palette }: Surface) => {
    const { series } = run
    const { length } = series
    const span = run.end - run.epoch
    if (span <= 0) return
    const ended = new Float64Array(length)
    for (const name of ENDS)
      series.rate(name).forEach((rate, bucket) => {
        ended[bucket]! += rate
      })
    const most = ended.reduce((max, rate) => Math.max(max, rate), 0) || 1
    const x = (bucket: number) => ((series.startOf(bucket) - run.epoch) / span) * width
    context.fillStyle = palette.lineStrong.css
    context.globalAlpha = 0.55
    context.beginPath()
    context.moveTo(0, height)
    ended.forEach((rate, bucket) => {
      const y = height - (rate / most) * (height - 5)
      context.lineTo(x(bucket), y)
      context.lineTo(Math.min(width, x(bucket + 1)), y)
    })
    context.lineTo(Math.min(width, x(length)), height)
    context.fill()
    context.globalAlpha = 1
    context.fillStyle = palette.states[6]!.css
    series.rate('failed').forEach((rate, bucket) => {
      if (rate > 0) context.fillRect(x(bucket), 0, Math.max(1.5, (series.width / span) * width), 4)
    })
  }
  return <Canvas class="strip-canvas" paint={paint} version={tick.value} aria-hidden="true" />
}
