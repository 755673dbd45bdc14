import { useSignal } from '@preact/signals'
import { formatCount, plainText, plural } from '../../model/format.ts'
import { activePaths, type DefinedState, type StatelyActor, shortJson } from '../../model/stately-actors.ts'
import { statelyActors } from '../../state/session.ts'
import { Card, Empty } from '../../ui/parts.tsx'

const SHOWN_ACTORS = 300

/** Actors of another page, which sends them through `@statelyai/inspect`. */
export function StatelyView() {
  const source = statelyActors.value
  const chosen = useSignal('')
  const all = [...(source?.actors.values() ?? [])]
  const shown = all.slice(0, SHOWN_ACTORS)
  const actor = source?.actors.get(chosen.value) ?? shown[0]
  return (
    <div class="view machines">
      <aside class="card actors" aria-label="Actors">
        <p class="muted" role="status">
          {shown.length < all.length && `${formatCount(shown.length)} of `}
          {plural(all.length, 'actor')}
          {source !== undefined &&
            source.leftOut > 0 &&
            `, ${formatCount(source.leftOut)} more were left out`}
        </p>
        <ul>
          {shown.map((each) => (
            <li key={each.id}>
              <button
                type="button"
                class="actor plain"
                aria-pressed={each === actor}
                onClick={() => (chosen.value = each.id)}
              >
                <b class="ellipsis">{plainText(each.name)}</b>
                <span class="muted ellipsis">
                  {each.status === 'active' ? activePaths(each.value).at(-1) : each.status}
                </span>
              </button>
            </li>
          ))}
        </ul>
      </aside>
      {actor === undefined ? (
        <Card class="fill">
          <Empty icon="machines" title="Waiting for the first actor" />
        </Card>
      ) : (
        <ActorCards actor={actor} />
      )}
    </div>
  )
}

function ActorCards({ actor }: { actor: StatelyActor }) {
  const active = new Set(activePaths(actor.value))
  return (
    <>
      <Card
        class="fill"
        title={plainText(actor.name)}
        aside={<span class="muted mono">{plainText(actor.id)}</span>}
      >
        {actor.definition === undefined ? (
          <Empty icon="machines" title="This actor has no chart" />
        ) : (
          <div class="nested-room" tabIndex={0} role="region" aria-label="Chart, to scroll">
            <Nested state={actor.definition} path="" active={active} />
          </div>
        )}
      </Card>
      <Card class="actor-side">
        <h3>Context</h3>
        <pre tabIndex={0}>{plainText(shortJson(actor.context))}</pre>
        <h3>
          {actor.events.length < actor.eventCount && `The last ${actor.events.length} of `}
          {plural(actor.eventCount, 'event')}
        </h3>
        <ol class="steps actor-steps">
          {[...actor.events].reverse().map(({ type, from, text }, index) => (
            <li key={index}>
              <code>{plainText(type)}</code>
              <span class="muted ellipsis" title={plainText(text)}>
                {from === undefined ? '' : `from ${plainText(from)} `}
                {plainText(text)}
              </span>
            </li>
          ))}
        </ol>
      </Card>
    </>
  )
}

/** A state as a box with its children inside; the active ones are framed. */
function Nested({ state, path, active }: { state: DefinedState; path: string; active: ReadonlySet<string> }) {
  const isActive = path === '' || active.has(path)
  return (
    <section
      class={`nested ${isActive ? 'active' : ''} ${state.type}`}
      aria-label={`${state.key}${isActive ? ', active' : ''}`}
    >
      <p>
        <b>{plainText(state.key)}</b> {state.type === 'parallel' && <span class="muted">parallel</span>}
        {state.type === 'final' && <span class="muted">final</span>}
        {isActive && path !== '' && <span class="fresh">active</span>}
      </p>
      {state.on.length > 0 && (
        <ul class="nested-on">
          {state.on.map(({ event, targets }) => (
            <li key={event}>
              <code>{plainText(event)}</code>
              {targets.length > 0 && <span class="muted"> → {plainText(targets.join(', '))}</span>}
            </li>
          ))}
        </ul>
      )}
      {state.children.length > 0 && (
        <div class="nested-children">
          {state.children.map((child) => (
            <Nested
              key={child.key}
              state={child}
              path={path === '' ? child.key : `${path}.${child.key}`}
              active={active}
            />
          ))}
        </div>
      )}
    </section>
  )
}
