import { useMemo } from 'preact/hooks'
import { formatDuration, formatShort, plainText } from '../../model/format.ts'
import { figuresOf } from '../../model/range.ts'
import { selectJob } from '../../state/route.ts'
import { store, tick } from '../../state/session.ts'
import { momentOf } from '../../state/time.ts'
import { KindTable } from '../../ui/kind-table.tsx'
import { Card, Empty } from '../../ui/parts.tsx'
import { Plot } from '../../ui/plot.tsx'
import { SpreadPlot } from './spread-plot.tsx'
import { UsageStrips } from './usage-strips.tsx'

/** How often all figures are taken again while a run goes on: one part of its ticks. */
const EVERY_TICKS = 10

/** Rates, levels, times by kind, and how the process is doing. */
export function MetricsView() {
  const run = store.value!
  const figures = useMemo(
    () => figuresOf(run, run.epoch, run.end, run.end),
    [run, Math.floor(tick.value / EVERY_TICKS)],
  )
  if (run.jobCount === 0) return <Empty icon="metrics" title="Nothing to measure yet" />
  const { series, epoch, samples } = run
  const sampled = () => samples.at.data.slice(0, samples.at.length).map((at) => at - epoch)
  const column = (
    name: 'busy' | 'limit' | 'ready' | 'waiting' | 'rss' | 'heap' | 'lag' | 'cpu',
    factor = 1,
  ) => Float64Array.from(samples[name].data.subarray(0, samples[name].length), (value) => value * factor)
  const shared = {
    version: tick.value,
    at: momentOf(run).at - epoch,
    epoch,
    until: run.end - epoch,
    height: 150,
  }
  return (
    <div class="metrics">
      <Card title="Jobs per second">
        <Plot
          {...shared}
          label="Jobs per second"
          lines={[
            { label: 'completed', colour: 's-completed', isFilled: true },
            { label: 'failed', colour: 's-failed' },
            { label: 'retried', colour: 's-retried' },
            { label: 'submitted', colour: 's-blocked', isDashed: true },
          ]}
          data={() => [
            series.instants(),
            series.rate('completed'),
            series.rate('failed'),
            series.rate('retried'),
            series.rate('submitted'),
          ]}
        />
      </Card>
      <Card title="Waiting and running jobs">
        <Plot
          {...shared}
          label="Waiting and running jobs"
          lines={[
            { label: 'waiting', colour: 's-ready', isFilled: true },
            { label: 'running', colour: 's-executing' },
          ]}
          data={() => [series.instants(), series.average('queued'), series.average('running')]}
        />
      </Card>
      {samples.at.length > 1 && (
        <>
          <Card title="Slots in use, and the limit">
            <Plot
              {...shared}
              label="Slots in use and the limit"
              lines={[
                { label: 'in use', colour: 's-executing', isFilled: true },
                { label: 'limit', colour: 's-stopping', isDashed: true },
              ]}
              data={() => [sampled(), column('busy'), column('limit')]}
            />
          </Card>
          <Card title="How late the event loop was">
            <Plot
              {...shared}
              label="Event loop lag"
              format={formatDuration}
              lines={[{ label: 'lag', colour: 's-delayed', isFilled: true }]}
              data={() => [sampled(), column('lag', 1 / 1000)]}
            />
          </Card>
          <Card title="Memory of the process">
            <Plot
              {...shared}
              label="Memory"
              format={(bytes) => `${formatShort(Math.round(bytes))} MB`}
              lines={[
                { label: 'resident', colour: 's-executing' },
                { label: 'heap', colour: 's-completed', isFilled: true },
              ]}
              data={() => [sampled(), column('rss', 1 / 1024), column('heap', 1 / 1024)]}
            />
          </Card>
          <Card title="Processor, of one core">
            <Plot
              {...shared}
              label="Processor"
              format={(share) => `${Math.round(share)} %`}
              lines={[{ label: 'cpu', colour: 's-ready', isFilled: true }]}
              data={() => [sampled(), column('cpu')]}
            />
          </Card>
        </>
      )}
      <div class="metrics-pair">
        <Card title="How long attempts run, by kind">
          <SpreadPlot figures={figures} />
        </Card>
        <Card title="How busy each slot was">
          <UsageStrips />
        </Card>
      </div>
      <Card title="By kind" class="whole">
        <KindTable
          figures={figures}
          nameOf={(job) => plainText(run.nameOf(job))}
          onJob={(job) => selectJob(run.idOf(job))}
        />
      </Card>
    </div>
  )
}
