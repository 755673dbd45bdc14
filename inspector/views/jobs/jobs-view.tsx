import { useSignal } from '@preact/signals'
import { hasPart, parseFilter, togglePart } from '../../model/filter.ts'
import { formatClock, formatCount, formatDuration, formatMiB, plainText } from '../../model/format.ts'
import { type JobList, listJobs, ranUntil, SORTS, type Sort, waitedUntil } from '../../model/job-list.ts'
import { BY_URGENCY, STATE_NAMES } from '../../model/job-states.ts'
import { PRIORITIES } from '../../model/priorities.ts'
import { usedUntil } from '../../model/used.ts'
import { route, selectedId, selectJob, setParams } from '../../state/route.ts'
import { canControl, store } from '../../state/session.ts'
import { momentOf } from '../../state/time.ts'
import { Grid, type GridColumn } from '../../ui/grid.tsx'
import { Empty } from '../../ui/parts.tsx'
import { SearchBox } from '../../ui/search-box.tsx'
import { StateLabel, StateMark } from '../../ui/state-mark.tsx'
import { BulkBar } from './bulk-bar.tsx'

/** The columns that make room for the drawer. */
const BESIDE_DRAWER = new Set(['id', 'priority', 'queued', 'cpu', 'memory', 'bar'])

/** All jobs: searched, narrowed by facets, sorted, and acted on. */
export function JobsView() {
  const run = store.value!
  const cursor = useSignal(-1)
  const marked = useSignal<ReadonlySet<number>>(new Set())
  const text = route.value.params.q ?? ''
  const sort = SORTS.find((name) => name === route.value.params.sort) ?? 'urgency'
  const isDescending = route.value.params.desc === '1'
  const moment = momentOf(run)
  const list = listJobs(run, moment, parseFilter(text), sort, isDescending)
  const { jobs, priorities } = list

  const sortBy = (name: Sort) => () =>
    setParams({ sort: name === 'urgency' ? '' : name, desc: sort === name && !isDescending ? '1' : '' })
  const sorted = (name: Sort) => (sort === name ? (isDescending ? 'descending' : 'ascending') : undefined)
  const column = (
    key: Sort,
    title: string,
    width: string,
    cell: (job: number) => GridColumn['cell'] extends (row: number) => infer Shown ? Shown : never,
    isNumber = true,
  ): GridColumn => ({
    key,
    title,
    width,
    isNumber,
    cell: (row) => cell(jobs[row]!),
    onSort: sortBy(key),
    ...(sorted(key) && { sorted: sorted(key)! }),
  })
  const mark = (job: number) => {
    const next = new Set(marked.peek())
    if (!next.delete(job)) next.add(job)
    marked.value = next
  }
  const all: GridColumn[] = [
    {
      key: 'mark',
      title: 'Chosen',
      hidesTitle: true,
      width: '34px',
      cell: (row) => (
        <input
          type="checkbox"
          tabIndex={-1}
          aria-label={`Choose ${plainText(run.idOf(jobs[row]!))}`}
          checked={marked.value.has(jobs[row]!)}
          onChange={() => mark(jobs[row]!)}
        />
      ),
    },
    column('urgency', 'State', '110px', (job) => <StateLabel state={moment.stateOf(job)} />, false),
    column(
      'name',
      'Job',
      'minmax(130px, 2fr)',
      (job) => <span class="ellipsis">{plainText(run.nameOf(job))}</span>,
      false,
    ),
    {
      key: 'id',
      title: 'Id',
      width: 'minmax(92px, 1fr)',
      cell: (row) => <span class="mono muted ellipsis">{plainText(run.idOf(jobs[row]!))}</span>,
    },
    {
      key: 'priority',
      title: 'Priority',
      width: '70px',
      cell: (row) => <span class="muted">{PRIORITIES[priorities[jobs[row]!]!]}</span>,
    },
    column('attempts', 'Tries', '52px', (job) => moment.attemptsOf(job)),
    column('queued', 'Queued at', '86px', (job) => formatClock(run.jobs.queuedAt.data[job]! - run.epoch)),
    column('wait', 'Waited', '78px', (job) => formatDuration(waitedUntil(run, job, moment.at))),
    column('run', 'Ran', '78px', (job) => formatDuration(ranUntil(run, job, moment.at))),
    // Few executors tell what an attempt used: without any, there is nothing to show.
    ...(run.usages.job.length === 0
      ? []
      : [
          column('cpu', 'Processor', '80px', (job) => formatDuration(usedUntil(run, job, moment.at).cpuMs)),
          column('memory', 'Memory', '78px', (job) => formatMiB(usedUntil(run, job, moment.at).memoryMiB)),
        ]),
    {
      key: 'bar',
      title: 'Wait and run',
      width: 'minmax(64px, 1fr)',
      cell: (row) => <MiniBar job={jobs[row]!} />,
    },
  ]
  // Beside the drawer there is room for what the drawer does not say.
  const columns = selectedId.value === '' ? all : all.filter(({ key }) => !BESIDE_DRAWER.has(key))
  const selected = run.find(selectedId.value)

  return (
    <div class="view jobs">
      <div class="view-head">
        <SearchBox
          value={text}
          placeholder="Search: state:failed kind:load >5s is:retried or words"
          onChange={(q) => setParams({ q })}
        />
        <p class="of" role="status">
          <b>{formatCount(jobs.length)}</b> of {formatCount(list.total)} jobs
        </p>
        {canControl.value && (
          <BulkBar list={list} marked={marked.value} text={text} onClear={() => (marked.value = new Set())} />
        )}
      </div>
      <div class="jobs-body">
        <Facets list={list} text={text} />
        <Grid
          label="Jobs"
          columns={columns}
          count={jobs.length}
          cursor={cursor.value}
          onCursor={(row) => (cursor.value = row)}
          onOpen={(row) => selectJob(run.idOf(jobs[row]!))}
          onKey={(event, row) => {
            if (event.key !== ' ' || row < 0 || !canControl.peek()) return false
            mark(jobs[row]!)
            return true
          }}
          rowProps={(row) => ({ class: `grid-row ${jobs[row] === selected ? 'selected' : ''}` })}
          empty={
            <Empty
              icon="search"
              title={list.total === 0 ? 'No jobs yet at this moment' : 'No job is like this'}
            >
              {list.total > 0 && (
                <button type="button" onClick={() => setParams({ q: '' })}>
                  Show all {formatCount(list.total)}
                </button>
              )}
            </Empty>
          }
        />
      </div>
    </div>
  )
}

/** How a job's time is made up: waiting, then running, against the longest usual. */
function MiniBar({ job }: { job: number }) {
  const run = store.value!
  const moment = momentOf(run)
  const waited = waitedUntil(run, job, moment.at)
  const ran = ranUntil(run, job, moment.at)
  const total = waited + ran
  if (total === 0) return null
  return (
    <span class="mini-bar" aria-hidden="true">
      <i class="bg-wait" style={{ width: `${(waited / total) * 100}%` }} />
      <i class={`bg-${STATE_NAMES[moment.stateOf(job)]}`} style={{ width: `${(ran / total) * 100}%` }} />
    </span>
  )
}

function Facets({ list, text }: { list: JobList; text: string }) {
  const { states, kinds, priorities } = list.facets
  const byCount = [...kinds].sort(([, a], [, b]) => b - a)
  const shownKinds = byCount.slice(0, 30)
  return (
    <aside class="facets" aria-label="Narrow the list">
      <h2>State</h2>
      {BY_URGENCY.map((state) => (
        <Facet key={state} part={`state:${STATE_NAMES[state]}`} text={text} count={states[state]!}>
          <StateMark state={state} /> {STATE_NAMES[state]}
        </Facet>
      ))}
      <h2>Kind</h2>
      {shownKinds.map(([kind, count]) => (
        <Facet key={kind} part={`kind:${kind}`} text={text} count={count}>
          <span class="ellipsis">{plainText(kind) || 'without a name'}</span>
        </Facet>
      ))}
      {byCount.length > shownKinds.length && (
        <p class="muted">
          {shownKinds.length} of {byCount.length} kinds; search for the others with kind:name
        </p>
      )}
      <h2>Priority</h2>
      {PRIORITIES.map((priority, index) => (
        <Facet key={priority} part={`priority:${priority}`} text={text} count={priorities[index]!}>
          {priority}
        </Facet>
      ))}
    </aside>
  )
}

function Facet({
  part,
  text,
  count,
  children,
}: {
  part: string
  text: string
  count: number
  children: preact.ComponentChildren
}) {
  return (
    <button
      type="button"
      class="facet"
      aria-pressed={hasPart(text, part)}
      onClick={() => setParams({ q: togglePart(text, part) })}
    >
      <span class="facet-name">{children}</span>
      <span class="num">{formatCount(count)}</span>
    </button>
  )
}
