interface WithNodes {
  readonly _nodes?: readonly { readonly id: string; readonly order: number }[]
}

/** The ids of a machine's active states, outermost first; empty for the snapshot of an actor that is no machine. */
export function activeStates(snapshot: unknown): string[] {
  const { _nodes: nodes = [] } = (snapshot ?? {}) as WithNodes
  return [...nodes].sort((a, b) => a.order - b.order).map(({ id }) => id)
}
