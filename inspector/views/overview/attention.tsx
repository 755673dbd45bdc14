import { quote } from '../../model/filter.ts'
import { formatCount, formatDuration, plainText, plural } from '../../model/format.ts'
import { FAILED } from '../../model/job-states.ts'
import { findTroubles, type Trouble } from '../../model/troubles.ts'
import { restTick } from '../../state/rest.ts'
import { hrefOf } from '../../state/route.ts'
import { store } from '../../state/session.ts'
import { peekMoment, statusOfNow } from '../../state/time.ts'
import { Icon } from '../../ui/icons.tsx'
import { StateMark } from '../../ui/state-mark.tsx'

/** What somebody should look at, worst first, each a way to the jobs it is about. */
export function Attention() {
  void restTick.value
  const run = store.peek()!
  const troubles = findTroubles(run, peekMoment(run), statusOfNow.peek())
  if (troubles.length === 0)
    return <p class="calm muted">Nothing: no failures, nothing stuck, no slot idle without a reason.</p>
  return (
    <ul class="troubles">
      {troubles.map((trouble) => (
        <li key={trouble.key}>
          <TroubleLine trouble={trouble} />
        </li>
      ))}
    </ul>
  )
}

function TroubleLine({ trouble }: { trouble: Trouble }) {
  switch (trouble.kind) {
    case 'failing':
      return (
        <a href={hrefOf('jobs', { q: `state:failed ${quote(`kind:${trouble.name}`)}` })}>
          <StateMark state={FAILED} />
          <span>
            <b>{plainText(trouble.name)}</b>: {formatCount(trouble.count)} of{' '}
            {plural(trouble.of, 'ended job')} failed
            {trouble.message !== '' && (
              <span class="muted trouble-more ellipsis">{plainText(trouble.message)}</span>
            )}
          </span>
        </a>
      )
    case 'others':
      return (
        <a href={hrefOf('jobs', { q: 'state:failed' })}>
          <StateMark state={FAILED} />
          <span>
            {plural(trouble.count, 'job')} of {plural(trouble.kinds, 'other kind')} failed
          </span>
        </a>
      )
    case 'slow':
      return (
        <a
          href={hrefOf(trouble.count === 1 ? 'timeline' : 'jobs', {
            q: `state:running >${Math.round(trouble.overMs)}ms`,
          })}
        >
          <Icon name="warn" size={14} />
          <span>
            {plural(trouble.count, 'job')} {trouble.count === 1 ? 'runs' : 'run'} longer than{' '}
            {formatDuration(trouble.overMs)}, three times what 99 % take
          </span>
        </a>
      )
    case 'blocked':
      return (
        <a href={hrefOf('graph', { node: trouble.id })}>
          <Icon name="graph" size={14} />
          <span>
            <b>{plainText(trouble.name)}</b> holds up {plural(trouble.count, 'job')}
          </span>
        </a>
      )
    case 'idle':
      return (
        <a href={hrefOf('machines', { actor: 'pool' })}>
          <Icon name="warn" size={14} />
          <span>
            {plural(trouble.free, 'slot')} free while {plural(trouble.ready, 'job')}{' '}
            {trouble.ready === 1 ? 'waits' : 'wait'}: {trouble.why}
          </span>
        </a>
      )
  }
}
