import { EVENTS, JOB_STATES, POOL_STATES, RUN_STATES } from '../../../src/protocol/index.ts'
import type { Actor } from '../../model/actor.ts'
import { formatClock, formatCount } from '../../model/format.ts'
import { store } from '../../state/session.ts'
import { seek } from '../../state/time.ts'

const SHOWN = 100

/** What happened to the actor, newest first; a click goes to its moment. */
export function ActorEvents({ actor }: { actor: Actor }) {
  const run = store.value!
  const shown = actor.steps.slice(-SHOWN).reverse()
  if (shown.length === 0) return <p class="muted">Nothing has happened to it until this moment.</p>
  const stateOf = (step: number) => {
    const state = run.log.state.data[step]!
    if (actor.machine === 'job') return JOB_STATES[state]
    return actor.machine === 'pool' ? POOL_STATES[state]?.join(', ') : RUN_STATES[state]
  }
  return (
    <>
      {shown.length < actor.steps.length && (
        <p class="muted">
          The last {shown.length} of {formatCount(actor.steps.length)} events.
        </p>
      )}
      <ol class="steps actor-steps">
        {shown.map((step) => (
          <li key={step}>
            <button type="button" class="link mono" onClick={() => seek(run.log.at.data[step]!)}>
              {formatClock(run.log.at.data[step]! - run.epoch)}
            </button>
            <code>{EVENTS[run.log.code.data[step]!]?.name}</code>
            <span class="muted">{stateOf(step)}</span>
          </li>
        ))}
      </ol>
    </>
  )
}
