import { formatCount, formatDuration, formatRate, plural } from '../../model/format.ts'
import { CANCELLED, COMPLETED, FAILED, READY } from '../../model/job-states.ts'
import { poolAt } from '../../model/pool-at.ts'
import { Summary } from '../../model/summary.ts'
import { hrefOf } from '../../state/route.ts'
import { connection, store, tick } from '../../state/session.ts'
import { isOver, momentOf, statusOfNow } from '../../state/time.ts'
import { LanesKey } from '../../ui/lanes-key.tsx'
import { Card, Empty, Tile } from '../../ui/parts.tsx'
import { Plot } from '../../ui/plot.tsx'
import { Attention } from './attention.tsx'
import { Lanes } from './lanes.tsx'
import { Population } from './population.tsx'

export function Overview() {
  const run = store.value!
  if (run.jobCount === 0) return <NoJobs />
  return (
    <div class="overview">
      <Tiles />
      <div class="overview-left">
        <Card title="Slots at work" aside={<LanesKey />} class="fill">
          <Lanes />
        </Card>
        <Card class="plots">
          <Plots />
        </Card>
      </div>
      <div class="overview-right">
        <Card title="Where the jobs are" class="fill">
          <Population />
        </Card>
        <Card title="Needs attention" class="attention">
          <Attention />
        </Card>
      </div>
    </div>
  )
}

function Tiles() {
  const run = store.value!
  const moment = momentOf(run)
  const { counts, total } = moment
  const summary = new Summary(run, moment)
  const { limit } = poolAt(run, moment, statusOfNow.value)
  const oldest = summary.oldestReady()
  const waiting = counts[0]! + counts[READY]! + summary.delayed
  const { etaMs } = summary
  return (
    <div class="tiles">
      <Tile
        label="Done"
        value={formatCount(counts[COMPLETED]!)}
        unit={`of ${formatCount(total)}`}
        href={hrefOf('jobs', { q: 'state:completed' })}
      />
      <Tile
        label="Running"
        value={formatCount(summary.running)}
        unit={limit === undefined ? '' : `/ ${plural(limit, 'slot')}`}
        note={zombiesText(moment.zombies)}
        href={hrefOf('jobs', { q: 'state:running' })}
      />
      <Tile
        label="Waiting"
        value={formatCount(waiting)}
        note={
          oldest === undefined
            ? 'none wants a slot'
            : `${formatCount(counts[READY]!)} ready, oldest ${formatDuration(oldest.waitMs)}`
        }
        href={hrefOf('jobs', { q: 'state:queued' })}
      />
      <Tile
        label="Failed"
        value={formatCount(counts[FAILED]!)}
        note={counts[CANCELLED]! > 0 ? `${formatCount(counts[CANCELLED]!)} cancelled` : ''}
        {...(counts[FAILED]! > 0 && { tone: 'bad' as const })}
        href={hrefOf('jobs', { q: 'state:failed' })}
      />
      <Tile
        label="Delayed"
        value={formatCount(summary.delayed)}
        href={hrefOf('jobs', { q: 'state:delayed' })}
      />
      <Tile
        label="Jobs per second"
        value={formatRate(summary.jobsPerSecond)}
        note={etaMs === undefined || isOver.value ? '' : `backlog empty in ${formatDuration(etaMs)}`}
        href={hrefOf('metrics')}
      />
    </div>
  )
}

/** Slots that no running job holds, and that are not free. */
function zombiesText(count: number): string {
  if (count === 0) return ''
  return count === 1 ? '1 slot is held by a zombie' : `${formatCount(count)} slots are held by zombies`
}

function Plots() {
  const run = store.value!
  const { series, epoch } = run
  const at = momentOf(run).at - epoch
  const shared = { version: tick.value, at, epoch, until: run.end - epoch, height: 116 }
  return (
    <div class="plot-row">
      <figure>
        <figcaption>jobs / s</figcaption>
        <Plot
          {...shared}
          label="Jobs that ended per second"
          lines={[{ label: 'jobs/s', colour: 's-executing', isFilled: true }]}
          data={() => {
            const rates = series.rate('completed')
            series.rate('failed').forEach((rate, bucket) => {
              rates[bucket]! += rate
            })
            return [series.instants(), rates]
          }}
        />
      </figure>
      <figure>
        <figcaption>waiting jobs</figcaption>
        <Plot
          {...shared}
          label="Waiting jobs"
          lines={[{ label: 'waiting', colour: 's-ready', isFilled: true }]}
          data={() => [series.instants(), series.average('queued')]}
        />
      </figure>
      <figure>
        <figcaption>slots in use</figcaption>
        <Plot
          {...shared}
          label="Slots in use"
          lines={[{ label: 'in use', colour: 's-completed', isFilled: true }]}
          data={() => {
            const held = series.average('running')
            series.average('zombies').forEach((count, bucket) => {
              held[bucket]! += count
            })
            return [series.instants(), held]
          }}
        />
      </figure>
    </div>
  )
}

function NoJobs() {
  return (
    <Empty icon="jobs" title="No jobs yet">
      <p>
        {connection.value.kind === 'live'
          ? 'The pool waits for its first job.'
          : 'This recording holds no job.'}
      </p>
      <pre class="snippet">{'const job = pool.submitJob({ execute: () => 42 })\nawait job.value()'}</pre>
    </Empty>
  )
}
