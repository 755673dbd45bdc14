/**
 * A statechart laid out: what the page, the documents and the coverage diagrams draw. Coordinates are absolute, in CSS
 * pixels at scale 1, from the upper left corner.
 */
export interface ChartLayout {
  readonly width: number
  readonly height: number
  /** Parents before their children. */
  readonly nodes: readonly ChartNode[]
  readonly edges: readonly ChartEdge[]
}

/** A machine's chart, in the two directions that suit tall and wide rooms. */
export interface Chart {
  /** The machine's id. */
  readonly id: string
  /** Of the machine's definition: equal charts have equal hashes. */
  readonly hash: string
  readonly down: ChartLayout
  readonly right: ChartLayout
}

/** What a recording holds of a machine that jobs ran: its chart, or why it has none. */
export type MachineDocument = Chart | { readonly id: string; readonly missing: string }

export interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

export interface ChartNode extends Box {
  /** The state's id, such as `job.queued.ready`; of an initial marker its parent's and `:initial`. */
  readonly id: string
  readonly key: string
  /** Absent for the root. */
  readonly parent?: string
  readonly kind: 'atomic' | 'compound' | 'parallel' | 'final' | 'history' | 'initial'
  readonly description?: string
  readonly tags: readonly string[]
  /** Effects on entry and on exit, by name. */
  readonly entry: readonly string[]
  readonly exit: readonly string[]
  /** Transitions that leave no state, but do something: a line each. */
  readonly inner: readonly { readonly id: string; readonly text: string }[]
}

export interface ChartEdge {
  /** As in `transitionsOf`: `job.queued:job.cancel:0`; of the arrow from an initial marker the marker's id. */
  readonly id: string
  readonly source: string
  readonly target: string
  /** What a person reads, such as `after 100` or `done`; empty for initial arrows. */
  readonly event: string
  readonly guard?: string
  /** Effects, by name. */
  readonly actions: readonly string[]
  /** From the source's border to the target's. */
  readonly points: readonly { readonly x: number; readonly y: number }[]
  /** Room for the label, when it has one. */
  readonly label?: Box & { readonly lines: readonly string[] }
}

/** What stands below a state's name, line by line; a transition that leaves no state has its id. */
export function stateLines({
  entry,
  exit,
  inner,
}: Pick<ChartNode, 'entry' | 'exit' | 'inner'>): { readonly id?: string; readonly text: string }[] {
  return [
    ...(entry.length > 0 ? [{ text: `entry / ${entry.join(', ')}` }] : []),
    ...(exit.length > 0 ? [{ text: `exit / ${exit.join(', ')}` }] : []),
    ...inner,
  ]
}
