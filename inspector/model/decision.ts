import { DECISION_TYPES } from '../../src/protocol/index.ts'
import { plainText } from './format.ts'
import type { RunStore } from './run-store.ts'

/** What `expand` decided about a node, in words. */
export interface DecisionText {
  readonly type: (typeof DECISION_TYPES)[number]
  /** Such as `grew 2`. */
  readonly did: string
  readonly why: string
  /** What of it the limits cut; `''` for nothing. */
  readonly cut: string
  /** What was thrown, or wrong with the answer; `''` for nothing. */
  readonly error: string
}

const WORDS: Readonly<Record<DecisionText['type'], string>> = {
  grow: 'grew',
  stop: 'stopped',
  revise: 'revised',
  prune: 'pruned',
  satisfy: 'satisfied',
}

/** @param row - Of the decision. */
export function decisionText(run: RunStore, row: number): DecisionText {
  const { decisions } = run.tree
  const type = DECISION_TYPES[decisions.type.data[row]!]!
  const count = decisions.nodes.data[row]!
  return {
    type,
    did: count > 0 ? `${WORDS[type]} ${count}` : WORDS[type],
    why: plainText(run.text(decisions.why.data[row]!)),
    cut: cutText(run.text(decisions.cut.data[row]!)),
    error: plainText(run.text(decisions.error.data[row]!)),
  }
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
