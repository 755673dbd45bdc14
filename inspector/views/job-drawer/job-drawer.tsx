import { useSignal } from '@preact/signals'
import type { JobDetail } from '../../../src/protocol/index.ts'
import { CANCEL_SOURCES, EVENTS } from '../../../src/protocol/index.ts'
import { confirmCancel, confirmPriority, confirmRetry, type Priority } from '../../app/controls.tsx'
import { decisionText } from '../../model/decision.ts'
import { formatClock, formatCount, plainText, plural } from '../../model/format.ts'
import { isEnded } from '../../model/job-states.ts'
import { NodesAt } from '../../model/nodes-at.ts'
import { PRIORITIES, prioritiesAt } from '../../model/priorities.ts'
import { hasPool } from '../../source/api.ts'
import { useDetail } from '../../source/use-detail.ts'
import { hrefOf, selectedId } from '../../state/route.ts'
import { canControl, store, tick } from '../../state/session.ts'
import { isFollowing, momentOf, seek } from '../../state/time.ts'
import { JobLink, JobLinks } from '../../ui/job-link.tsx'
import { StateLabel, StateMark, stateName } from '../../ui/state-mark.tsx'
import { Attempts } from './attempts.tsx'
import { Value } from './value.tsx'
import { WaitText } from './wait-text.tsx'

/** What stands before a line: of its log nothing. */
const STREAMS = ['', 'out  ', 'err  ']
const SHOWN_LINKS = 30
const SHOWN_STEPS = 200

/** All about the selected job. */
export function JobDrawer() {
  // It may come later: with the next part of a recording, or in a run that goes on.
  void tick.value
  const job = store.value?.find(selectedId.value) ?? -1
  if (job >= 0) return <Details key={job} job={job} />
  return (
    <div class="empty">
      <p class="empty-title">No job of this recording has the id</p>
      <code>{plainText(selectedId.value)}</code>
    </div>
  )
}

function Details({ job }: { job: number }) {
  const run = store.value!
  const moment = momentOf(run)
  const state = moment.stateOf(job)
  const id = run.idOf(job)
  const node = run.jobs.node.data[job]!
  // A detail is of now: asked again when the job's state has changed.
  const path = `api/jobs/${encodeURIComponent(id)}`
  const { body, error } = useDetail<JobDetail>(path, run.jobs.lastStep.data[job])
  const detail = isFollowing.value ? body : undefined
  return (
    <>
      <header class="drawer-head">
        <h2 class="drawer-title">
          <StateMark state={state} size={14} /> <span>{plainText(run.nameOf(job))}</span>
        </h2>
        <p>
          <code class="muted">{plainText(id)}</code>
        </p>
        <p class="drawer-facts">
          <StateLabel state={state} />
          <span>priority {PRIORITIES[prioritiesAt(run, moment)[job]!]}</span>
          <span>{plainText(run.kindOf(job))}</span>
          <span>{run.text(run.jobs.executor.data[job]!)}</span>
        </p>
        <Actions id={id} state={run.jobs.state.data[job]!} />
      </header>
      <div class="drawer-body">
        <WaitText job={job} detail={detail} />
        <Ending job={job} />
        <Attempts job={job} />
        {node >= 0 && <NodeFacts node={node} />}
        <Links job={job} />
        {detail !== undefined && (
          <>
            <Value title="Result" path={path} field="value" value={detail.value} />
            <Value title="Arguments" path={path} field="args" value={detail.args} />
            <Value title="Metadata" path={path} field="metadata" value={detail.metadata} />
            <Value title="Context of its chart" path={path} field="context" value={detail.actor.context} />
          </>
        )}
        {error !== undefined && <p class="drawer-part muted">The server tells no more: {error}</p>}
        {!hasPool() && (
          <p class="drawer-part muted">
            A recording holds no results, arguments, metadata or contexts of jobs.
          </p>
        )}
        <Log job={job} />
        <Steps job={job} />
        <p class="drawer-links">
          <a class="link" href={hrefOf('machines', { actor: id })}>
            Its chart
          </a>
          <a class="link" href={hrefOf('timeline', { focus: id })}>
            In the timeline
          </a>
          <a class="link" href={hrefOf('graph', { node: id })}>
            What it depends on
          </a>
          <a class="link" href={hrefOf('events', { q: id })}>
            Its events
          </a>
        </p>
      </div>
    </>
  )
}

function Actions({ id, state }: { id: string; state: number }) {
  if (!canControl.value) return null
  return (
    <div class="actions">
      <button
        type="button"
        class="danger"
        disabled={isEnded(state)}
        onClick={() => confirmCancel([id])}
        title="Cancel (X)"
      >
        Cancel …
      </button>
      <button type="button" disabled={!isEnded(state)} onClick={() => confirmRetry([id])} title="Retry (R)">
        Retry …
      </button>
      <select
        aria-label="Priority"
        value=""
        disabled={isEnded(state)}
        onChange={(event) => {
          const { value } = event.currentTarget
          event.currentTarget.value = ''
          if (value !== '') void confirmPriority({ ids: [id] }, value as Priority)
        }}
      >
        <option value="">Priority …</option>
        {PRIORITIES.map((priority) => (
          <option key={priority}>{priority}</option>
        ))}
      </select>
    </div>
  )
}

/** Its error, or why it was cancelled, once that has happened. */
function Ending({ job }: { job: number }) {
  const run = store.value!
  const moment = momentOf(run)
  const cancel = run.jobs.cancel.data[job]!
  const isCancelled = stateName(moment.stateOf(job)) === 'cancelled'
  if (!isCancelled || cancel < 0) return null
  const source = CANCEL_SOURCES[run.cancels.by.data[cancel]!]
  // Whoever gives no reason of their own is the reason.
  const reason = run.text(run.cancels.reason.data[cancel]!)
  const causedBy = run.cancels.causedBy.data[cancel]! - 1
  return (
    <section class="drawer-part">
      <h3>Cancelled</h3>
      <p>
        by {source}
        {reason !== source && reason !== '' && `: ${plainText(reason)}`}
      </p>
      {causedBy >= 0 && <JobLink job={causedBy} />}
    </section>
  )
}

/** Its node at the moment: what was decided about it until then, and what had grown from it. */
function NodeFacts({ node }: { node: number }) {
  const run = store.value!
  const moment = momentOf(run)
  const { nodes } = run.tree
  const at = new NodesAt(run, moment)
  const decision = at.decisionOf(node)
  const parent = nodes.parent.data[node]!
  const score = at.scoreOf(node)
  const children = run.tree.childrenOf(node).filter((child) => at.grownAt(child) <= moment.at)
  return (
    <section class="drawer-part">
      <h3>
        Node n{nodes.number.data[node]}
        {!Number.isNaN(score) && <span class="muted"> · score {score.toFixed(3)}</span>}
      </h3>
      {decision >= 0 && <Decision row={decision} />}
      {parent >= 0 && (
        <>
          <h3>Parent</h3>
          <JobLink job={at.jobOf(parent)} />
        </>
      )}
      {children.length > 0 && (
        <>
          <h3>Children</h3>
          <JobLinks
            jobs={children.slice(0, SHOWN_LINKS).map((child) => at.jobOf(child))}
            of={children.length}
          />
        </>
      )}
    </section>
  )
}

function Decision({ row }: { row: number }) {
  const { did, why, cut, error } = decisionText(store.value!, row)
  return (
    <>
      <p>
        <b>{did}</b>
        {cut !== '' && `, ${cut}`}
        {why !== '' && `: ${why}`}
      </p>
      {error !== '' && <p class="s-failed">✕ {error}</p>}
    </>
  )
}

function Links({ job }: { job: number }) {
  const { links } = store.value!
  const before = links.dependenciesOf(job)
  const after = links.dependantsOf(job)
  if (before.length + after.length === 0) return null
  return (
    <section class="drawer-part">
      {before.length > 0 && (
        <>
          <h3>Depends on</h3>
          <JobLinks jobs={before.slice(0, SHOWN_LINKS)} of={before.length} />
        </>
      )}
      {after.length > 0 && (
        <>
          <h3>Others that depend on it</h3>
          <JobLinks jobs={after.slice(0, SHOWN_LINKS)} of={after.length} />
        </>
      )}
    </section>
  )
}

function Log({ job }: { job: number }) {
  const run = store.value!
  const { at } = momentOf(run)
  const rows = run.lines.until(job, at)
  const { at: instants, stream, line } = run.lines.columns
  if (rows.length === 0) return null
  const shown = rows.slice(-SHOWN_STEPS)
  return (
    <section class="drawer-part">
      <h3>
        Log{shown.length < rows.length && `: the last ${shown.length} of ${formatCount(rows.length)} lines`}
      </h3>
      <pre tabIndex={0} role="log" aria-label="Log lines">
        {shown.map(
          (row) =>
            `${formatClock(instants.data[row]! - run.epoch)}  ${STREAMS[stream.data[row]!]}${plainText(run.text(line.data[row]!))}\n`,
        )}
      </pre>
    </section>
  )
}

/** Every event of the job; a click goes to its moment. */
function Steps({ job }: { job: number }) {
  const run = store.value!
  const isOpen = useSignal(false)
  const steps = run.stepsOf(job)
  const shown = steps.slice(-SHOWN_STEPS)
  return (
    <details
      class="drawer-part"
      open={isOpen.value}
      onToggle={(event) => (isOpen.value = event.currentTarget.open)}
    >
      <summary>
        {plural(steps.length, 'event')}
        {shown.length < steps.length && `, the last ${shown.length} shown`}
      </summary>
      {isOpen.value && (
        <ol class="steps">
          {shown.map((step) => (
            <li key={step} class={step >= momentOf(run).step ? 'later' : ''}>
              <button type="button" class="link mono" onClick={() => seek(run.log.at.data[step]!)}>
                {formatClock(run.log.at.data[step]! - run.epoch)}
              </button>
              <span>{EVENTS[run.log.code.data[step]!]?.name}</span>
              <StateLabel state={run.log.state.data[step]!} />
            </li>
          ))}
        </ol>
      )}
    </details>
  )
}
