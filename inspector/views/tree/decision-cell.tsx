import { decisionText } from '../../model/decision.ts'
import type { TreeAt } from '../../model/tree-at.ts'
import { store } from '../../state/session.ts'
import { Icon } from '../../ui/icons.tsx'

/** What `expand` decided about a node, why, and what of it the limits cut. */
export function DecisionCell({ at, node }: { at: TreeAt; node: number }) {
  const row = at.decisionOf(node)
  if (row < 0) return null
  const { type, did, why, cut, error } = decisionText(store.value!, row)
  return (
    <>
      <span class={`decision ${type}`}>
        {type === 'grow' && <Icon name="grew" size={12} />}
        {did}
      </span>
      {cut !== '' && (
        <span class="cut" title="More was asked for than the limits allow">
          {cut}
        </span>
      )}
      {error === '' ? (
        <span class="muted ellipsis" title={why}>
          {why}
        </span>
      ) : (
        <span class="s-failed ellipsis" title={error}>
          ✕ {error}
        </span>
      )}
    </>
  )
}
