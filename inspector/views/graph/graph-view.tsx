import { useMemo } from 'preact/hooks'
import { quote } from '../../model/filter.ts'
import { formatCount, formatDuration, formatShare, plainText, plural } from '../../model/format.ts'
import { criticalPath, type KindNode, kindGraph, linksAt, neighbourhood } from '../../model/graph.ts'
import { FAILED } from '../../model/job-states.ts'
import { hasCycle } from '../../model/layered.ts'
import { restTick } from '../../state/rest.ts'
import { hrefOf, route, selectedId, selectJob, setParams } from '../../state/route.ts'
import { store } from '../../state/session.ts'
import { momentOf, momentTick } from '../../state/time.ts'
import { HiddenTable } from '../../ui/hidden-table.tsx'
import { JobLink } from '../../ui/job-link.tsx'
import { Card, Empty, Tabs } from '../../ui/parts.tsx'
import { stateName } from '../../ui/state-mark.tsx'
import { Boxes, type GraphBox, type GraphEdge } from './boxes.tsx'
import { Matrix } from './matrix.tsx'

const DEPTHS = ['1', '2', '3', '4'] as const
const MOST_JOBS = 300
/** More kinds than these are no picture. */
const MOST_KINDS = 60
const SHOWN_PATH = 200

/** What depends on what: kinds first, then the neighbourhood of a job, or the chain that decided how long all took. */
export function GraphView() {
  const run = store.value!
  const node = route.value.params.node ?? ''
  const links = useMemo(() => linksAt(run, momentOf(run)), [run, restTick.value])
  const mode = node !== '' ? 'job' : route.value.params.as === 'path' ? 'path' : 'kinds'
  return (
    <div class="view">
      <div class="view-head">
        <Tabs
          label="Show"
          names={[
            { name: 'kinds', title: 'Kinds' },
            { name: 'job', title: 'Around a job' },
            { name: 'path', title: 'Critical path' },
          ]}
          current={mode}
          onChoose={(name) =>
            setParams(
              {
                as: name === 'path' ? 'path' : '',
                node: name === 'job' ? selectedId.value || run.idOf(0) : '',
              },
              { isStep: true },
            )
          }
        />
        {mode === 'job' && (
          <Tabs
            label="Steps away"
            names={DEPTHS.map((name) => ({ name, title: name }))}
            current={DEPTHS.find((depth) => depth === route.value.params.depth) ?? '2'}
            onChoose={(depth) => setParams({ depth })}
          />
        )}
        <p class="of muted">
          {plural(momentOf(run).total, 'job')}, {plural(links, 'dependency')}
        </p>
      </div>
      {mode === 'kinds' && <Kinds />}
      {mode === 'job' && <Around id={node} />}
      {mode === 'path' && <Path />}
    </div>
  )
}

function Kinds() {
  const run = store.value!
  const graph = kindGraph(run, momentOf(run), MOST_KINDS)
  const boxes = graph.nodes.map((kind): GraphBox => {
    return {
      key: kind.name,
      title: plainText(kind.name) || 'without a name',
      lines: [
        `${formatCount(kind.done)} of ${formatCount(kind.total)} done`,
        [
          kind.running > 0 && `${kind.running} running`,
          kind.failed > 0 && `${kind.failed} failed`,
          kind.cancelled > 0 && `${kind.cancelled} cancelled`,
        ]
          .filter(Boolean)
          .join(', '),
      ].filter((line) => line !== ''),
      tone: toneOf(kind),
      share: kind.total === 0 ? 0 : kind.done / kind.total,
      href: hrefOf('jobs', { q: quote(`kind:${kind.name}`) }),
    }
  })
  const edges = graph.edges.map(
    ({ from, to, count }): GraphEdge => ({ from, to, label: formatCount(count), weight: count }),
  )
  if (boxes.length === 0) return <Empty icon="graph" title="No jobs yet at this moment" />
  const isLayered = !hasCycle(
    boxes.length,
    edges.map(({ from, to }) => [from, to]),
  )
  return (
    <Card
      class="fill"
      title="Kinds of jobs, and how many dependencies lead from one to another"
      aside={<Of shown={boxes.length} of={graph.kinds} word="kind" />}
    >
      {isLayered ? (
        <Boxes label="Kinds of jobs" boxes={boxes} edges={edges} />
      ) : (
        <Matrix boxes={boxes} edges={edges} />
      )}
      <HiddenTable
        caption="Dependencies between kinds"
        columns={['Jobs of', 'depend on jobs of', 'times']}
        rows={graph.edges.map(({ from, to, count }) => [
          plainText(graph.nodes[to]!.name),
          plainText(graph.nodes[from]!.name),
          count,
        ])}
      />
    </Card>
  )
}

/** What is worst, then what is to come; of kinds that are over, green only those that are done. */
function toneOf({ failed, running, open, cancelled }: KindNode): string {
  if (failed > 0) return 's-failed'
  if (running > 0) return 's-executing'
  if (open > 0) return 's-ready'
  return cancelled > 0 ? 's-cancelled' : 's-completed'
}

function Around({ id }: { id: string }) {
  const run = store.value!
  const moment = momentOf(run)
  const job = run.find(id)
  const depth = Number(DEPTHS.find((each) => each === route.value.params.depth) ?? 2)
  const around = useMemo(
    () => (job < 0 ? undefined : neighbourhood(run, job, depth, MOST_JOBS)),
    [job, depth, run.links.length],
  )
  const path = useMemo(() => new Set(criticalPath(run, moment)?.jobs ?? []), [run, restTick.value])
  if (around === undefined) return <Empty icon="graph" title="No job of this recording has this id" />
  const boxes = around.jobs.map((each, place): GraphBox => {
    const state = moment.stateOf(each)
    const { before, after } = around.hidden[place]!
    return {
      key: run.idOf(each),
      title: plainText(run.nameOf(each)),
      lines: [
        stateName(state),
        [before > 0 && `+${before} before`, after > 0 && `+${after} after`].filter(Boolean).join(', '),
      ].filter((line) => line !== ''),
      tone: `s-${stateName(state)}`,
      isMain: each === job,
      isHeavy: path.has(each),
      onOpen: () => selectJob(run.idOf(each)),
      onFocus: () => setParams({ node: run.idOf(each) }, { isStep: true }),
    }
  })
  const edges = around.edges.map(
    ([from, to]): GraphEdge => ({
      from,
      to,
      isHeavy: path.has(around.jobs[from]!) && path.has(around.jobs[to]!),
    }),
  )
  return (
    <Card
      class="fill"
      title={
        <>
          What <b>{plainText(run.nameOf(job))}</b> depends on, and what depends on it
        </>
      }
      aside={
        <span class="muted">
          {formatCount(boxes.length)} jobs{boxes.length >= MOST_JOBS && `, at most ${MOST_JOBS}`}; a double
          click, or F, goes on from one
        </span>
      }
    >
      <Boxes label="Jobs and what they depend on" boxes={boxes} edges={edges} />
    </Card>
  )
}

function Path() {
  const run = store.value!
  const moment = momentOf(run)
  const path = useMemo(() => criticalPath(run, moment), [momentTick.value])
  if (path === undefined) return <Empty icon="graph" title="No job has ended at this moment" />
  const shown = path.jobs.slice(-SHOWN_PATH)
  const rest = Math.max(0, path.spanMs - path.runMs - path.waitMs)
  return (
    <Card
      class="fill"
      title="The chain of jobs that decided when the last one ended"
      aside={<Of shown={shown.length} of={path.jobs.length} word="job" />}
    >
      <p class="path-sum">
        <b>{formatDuration(path.spanMs)}</b> from the first one’s submission to the last one’s end,{' '}
        {formatShare(path.spanMs, moment.at - run.epoch)} of the run: <b>{formatDuration(path.runMs)}</b>{' '}
        running, <b>{formatDuration(path.waitMs)}</b> waiting for a slot, {formatDuration(rest)} otherwise.
        {run.counts[FAILED]! > 0 && ' Failed jobs count like others.'}
      </p>
      <ol class="path">
        {shown.map((job) => (
          <li key={job}>
            <JobLink job={job} />
            <span class="attempt-bar" aria-hidden="true">
              <i
                class="bg-wait"
                style={{
                  width: `${(run.jobs.waitMs.data[job]! / path.spanMs) * 100}%`,
                  left: `${offsetOf(job)}%`,
                }}
              />
              <i
                class="bg-executing"
                style={{
                  width: `${(run.jobs.runMs.data[job]! / path.spanMs) * 100}%`,
                  left: `${offsetOf(job) + (run.jobs.waitMs.data[job]! / path.spanMs) * 100}%`,
                }}
              />
            </span>
            <span class="muted num">{formatDuration(run.jobs.runMs.data[job]!)}</span>
          </li>
        ))}
      </ol>
    </Card>
  )

  function offsetOf(job: number): number {
    const begun = run.jobs.endedAt.data[job]! - run.jobs.runMs.data[job]! - run.jobs.waitMs.data[job]!
    return Math.max(0, ((begun - run.jobs.queuedAt.data[path!.jobs[0]!]!) / path!.spanMs) * 100)
  }
}

function Of({ shown, of, word }: { shown: number; of: number; word: string }) {
  return (
    <span class="muted">
      {shown < of ? `${formatCount(shown)} of ` : ''}
      {plural(of, word)}
    </span>
  )
}
