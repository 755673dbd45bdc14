import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { ActorDetail, Chart } from '../../../src/protocol/index.ts'
import { type Actor, actorOf, leavesOf, stateInChart } from '../../model/actor.ts'
import { plainText, plural } from '../../model/format.ts'
import { useDetail } from '../../source/use-detail.ts'
import { chartOf, countsByState, takenByEdge } from '../../state/charts.ts'
import { go, route, selectedId, setParams } from '../../state/route.ts'
import { canControl, store, tick } from '../../state/session.ts'
import { isFollowing, momentOf } from '../../state/time.ts'
import { ChartView } from '../../ui/chart.tsx'
import { ChartRoom } from '../../ui/chart-room.tsx'
import { Card, Empty, Tabs } from '../../ui/parts.tsx'
import { ActorEvents } from './actor-events.tsx'
import { ActorList } from './actor-list.tsx'
import { BodyChart } from './body-chart.tsx'
import { ContextDiff } from './context-diff.tsx'
import { BodyStates, bodyName, bodyRows, RecordedBody } from './recorded-body.tsx'
import { confirmSend } from './send.tsx'

/** How often a machine that a job runs is asked where it is: one part of the ticks. */
const BODY_EVERY_TICKS = 4

/** The chart of any actor, live: where it is, what it would accept, what it went through. */
export function MachinesView() {
  const run = store.value!
  const wanted = route.value.params.actor ?? (selectedId.value || 'pool')
  const actor = actorOf(run, momentOf(run), wanted)
  return (
    <div class="view machines">
      <ActorList current={wanted} />
      {actor === undefined ? (
        <Card class="fill">
          <Empty icon="machines" title="No actor of this recording is called so">
            <code>{plainText(wanted)}</code>
          </Empty>
        </Card>
      ) : (
        <ActorPanel key={wanted} actor={actor} />
      )}
    </div>
  )
}

function ActorPanel({ actor }: { actor: Actor }) {
  const run = store.value!
  const tab = route.value.params.show === 'context' ? 'context' : 'events'
  const isPopulation = actor.id === 'jobs'
  const path = isPopulation ? undefined : `api/actors/${encodeURIComponent(actor.id)}`
  const hasBody = useSignal(false)
  // What a body goes through is not in the journal: it is asked about as time goes on.
  const polled = hasBody.value ? Math.floor(tick.value / BODY_EVERY_TICKS) : 0
  const { body: told } = useDetail<ActorDetail>(path, `${actor.version} ${tab} ${polled}`)
  // What the server tells is of now; a moment of the past has only what the journal tells.
  const detail = isFollowing.value ? told : undefined
  const machine = detail?.body !== undefined && detail.body.machine !== '' ? detail.body : undefined
  useEffect(() => {
    hasBody.value = machine !== undefined
  }, [machine === undefined])
  // Of a moment of the past, and of what has ended, the recording tells.
  const recorded = bodyRows(actor.machine === 'job' && !isPopulation ? run.find(actor.id) : -1)
  const hasChoice = machine !== undefined || recorded !== undefined
  const isBody = hasChoice && route.value.params.of !== 'job'
  const chart = chartOf(run, actor.machine)
  const states = isBody ? leavesOf(machine?.active ?? []) : actor.states
  return (
    <>
      <Card
        class="fill chart-card"
        title={
          <>
            {plainText(actor.name)}{' '}
            <span class="muted">· chart of {isBody ? 'its machine' : `the ${actor.machine}`}</span>
          </>
        }
        aside={
          <>
            {hasChoice && (
              <Tabs
                label="Chart of"
                names={[
                  { name: 'body', title: plainText(machine?.machine ?? bodyName(recorded ?? [])) },
                  { name: 'job', title: 'its job' },
                ]}
                current={isBody ? 'body' : 'job'}
                onChoose={(of) => setParams({ of: of === 'job' ? 'job' : '' })}
              />
            )}
            <span class="muted">{plainText(states.map(stateInChart).join(' · '))}</span>
          </>
        }
      >
        {isBody && machine !== undefined ? (
          <BodyChart actor={actor} machine={machine} accepts={detail?.accepts ?? []} />
        ) : isBody ? (
          <RecordedBody rows={recorded ?? []} />
        ) : chart === undefined ? (
          <NoChart actor={actor} />
        ) : (
          <ActorChart actor={actor} chart={chart} detail={detail} />
        )}
      </Card>
      {!isPopulation && (
        <Card class="actor-side">
          <div class="actor-head">
            <Tabs
              label="Show of the actor"
              names={[
                { name: 'events', title: isBody && recorded !== undefined ? 'States' : 'Events' },
                { name: 'context', title: 'Context' },
              ]}
              current={tab}
              onChoose={(name) => setParams({ show: name === 'context' ? 'context' : '' })}
            />
            <Accepts actor={actor} detail={detail} />
          </div>
          {tab === 'events' && isBody && recorded !== undefined ? (
            <BodyStates rows={recorded} />
          ) : tab === 'events' ? (
            <ActorEvents actor={actor} />
          ) : (
            <ContextDiff key={isBody ? 'body' : 'job'} detail={isBody ? machine : detail} />
          )}
        </Card>
      )}
    </>
  )
}

function ActorChart({
  actor,
  chart,
  detail,
}: {
  actor: Actor
  chart: Chart
  detail: ActorDetail | undefined
}) {
  const run = store.value!
  const isPopulation = actor.id === 'jobs'
  const active = new Set(actor.states.flatMap(withAncestors))
  const isPossible = (source: string, event: string) =>
    active.has(source) && event !== '' && (detail === undefined || detail.accepts.includes(event))
  const enabled = new Set(
    chart.down.edges.filter(({ source, event }) => isPossible(source, event)).map(({ id }) => id),
  )
  const taken = isPopulation ? takenByEdge(run, chart) : actor.takenBy(chart)
  return (
    <ChartRoom chart={chart} centre={isPopulation ? undefined : actor.states[0]}>
      {(layout, scale) => (
        <ChartView
          layout={layout}
          scale={scale}
          label={`Chart of ${actor.name}`}
          marks={{
            taken,
            ...(isPopulation
              ? { counts: countsByState(momentOf(run).counts) }
              : {
                  active,
                  enabled,
                  ...(actor.lastEdge(chart) !== undefined && { last: actor.lastEdge(chart)! }),
                }),
          }}
          toneOf={(id) => (actor.machine === 'job' ? `s-${id.split('.').at(-1)}` : '')}
          {...(isPopulation && {
            onState: (id: string) => go('jobs', { q: `state:${id.split('.').at(-1)}` }),
          })}
          {...(canControl.value &&
            detail !== undefined && {
              onEdge: (id: string) => {
                const edge = chart.down.edges.find((each) => each.id === id)
                if (edge !== undefined) confirmSend(actor, edge.event, detail.body)
              },
            })}
        />
      )}
    </ChartRoom>
  )
}

/** What it would accept now; each can be sent after a confirmation. */
function Accepts({ actor, detail }: { actor: Actor; detail: ActorDetail | undefined }) {
  if (!isFollowing.value) return <p class="muted">A moment of the past: nothing can be sent.</p>
  if (detail === undefined) return null
  if (detail.accepts.length === 0) return <p class="muted">It is at its end: it accepts nothing.</p>
  return (
    <div class="accepts">
      <span class="muted">Accepts {plural(detail.accepts.length, 'event')}:</span>
      <div class="accepts-list">
        {detail.accepts.map((event) =>
          canControl.value ? (
            <button
              key={event}
              type="button"
              class="mono"
              onClick={() => confirmSend(actor, event, detail.body)}
            >
              {event} …
            </button>
          ) : (
            <code key={event}>{event}</code>
          ),
        )}
      </div>
    </div>
  )
}

function NoChart({ actor }: { actor: Actor }) {
  return (
    <Empty icon="machines" title="This recording holds no chart of it">
      <p>
        It is in <b>{actor.states.join(' and ')}</b>.
      </p>
    </Empty>
  )
}

/** `job.queued.ready` → itself, `job.queued`, `job`. */
function withAncestors(id: string): string[] {
  const parts = id.split('.')
  return parts.map((_, index) => parts.slice(0, index + 1).join('.'))
}
