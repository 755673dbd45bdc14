import { useRef } from 'preact/hooks'
import type { ActorDetail } from '../../../src/protocol/index.ts'
import { formatCount, plainText } from '../../model/format.ts'
import { type DiffLine, diffJson } from '../../model/json-diff.ts'
import { hasPool } from '../../source/api.ts'
import { isFollowing } from '../../state/time.ts'

const SIGNS: Readonly<Record<DiffLine['change'], string>> = {
  same: '',
  added: '+',
  changed: '≠',
  removed: '−',
}

/** The context of an actor, with what has changed since it was last another one. */
export function ContextDiff({ detail }: { detail: ActorDetail | undefined }) {
  const before = useRef<string | undefined>(undefined)
  const now = useRef<string | undefined>(undefined)
  const text = detail?.context.text
  if (text !== undefined && text !== now.current) {
    before.current = now.current
    now.current = text
  }
  if (detail === undefined) {
    return (
      <p class="muted">
        {!hasPool() || isFollowing.value
          ? 'A recording holds states and events, but no contexts.'
          : 'The context is known of the newest moment only.'}
      </p>
    )
  }
  const parsed = parse(detail.context.text)
  if (detail.context.isCut || parsed === undefined) {
    return (
      <>
        <p class="muted">
          {formatCount(detail.context.text.length)} of {formatCount(detail.context.length)} characters.
        </p>
        <pre tabIndex={0}>{plainText(detail.context.text)}</pre>
      </>
    )
  }
  const lines = diffJson(before.current === undefined ? undefined : parse(before.current), parsed)
  return (
    <table class="figures context">
      <thead>
        <tr>
          <th scope="col">
            <span class="visually-hidden">Change</span>
          </th>
          <th scope="col">Field</th>
          <th scope="col">Value</th>
        </tr>
      </thead>
      <tbody>
        {lines.map(({ path, value, change, before: was }) => (
          <tr key={path} class={change}>
            <td title={change}>{SIGNS[change]}</td>
            <th scope="row" class="mono">
              {plainText(path)}
            </th>
            <td class="mono">
              {was !== undefined && <s class="muted">{plainText(was)}</s>} {plainText(value)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
