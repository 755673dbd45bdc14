import { DECISION_TYPES } from '../../../src/protocol/index.ts'
import { plainText } from '../../model/format.ts'
import type { TreeAt } from '../../model/tree-at.ts'
import { store } from '../../state/session.ts'
import { Icon } from '../../ui/icons.tsx'

const WORDS: Readonly<Record<(typeof DECISION_TYPES)[number], string>> = {
  grow: 'grew',
  stop: 'stopped',
  revise: 'revised',
  prune: 'pruned',
  satisfy: 'satisfied',
}

/** What `expand` decided about a node, why, and what of it the limits cut. */
export function DecisionCell({ at, node }: { at: TreeAt; node: number }) {
  const run = store.value!
  const { decisions } = run.tree
  const row = at.decisionOf(node)
  if (row < 0) return null
  const type = DECISION_TYPES[decisions.type.data[row]!]!
  const count = decisions.nodes.data[row]!
  const why = plainText(run.text(decisions.why.data[row]!))
  const cut = cutText(run.text(decisions.cut.data[row]!))
  const error = plainText(run.text(decisions.error.data[row]!))
  return (
    <>
      <span class={`decision ${type}`}>
        {type === 'grow' && <Icon name="grew" size={12} />}
        {WORDS[type]}
        {count > 0 && ` ${count}`}
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

function cutText(json: string): string {
  if (json === '') return ''
  try {
    const cuts = JSON.parse(json) as readonly { readonly by: string; readonly count: number }[]
    return cuts.map(({ by, count }) => `${count} cut by ${by}`).join(', ')
  } catch {
    return ''
  }
}
