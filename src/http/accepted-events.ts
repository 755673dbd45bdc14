import type { AnyMachineSnapshot } from 'xstate'

/** Types of events that a machine's current states have transitions for; guards are not asked, as they need the event. */
export function acceptedEvents(snapshot: AnyMachineSnapshot): string[] {
  if (snapshot.status !== 'active') return []
  const accepted = new Set<string>()
  for (const node of snapshot._nodes) {
    for (const [type, transitions] of node.transitions) {
      const changes = transitions.some(({ target, actions }) => target !== undefined || actions.length > 0)
      if (changes && !type.startsWith('xstate.')) accepted.add(type)
    }
  }
  return [...accepted].sort()
}
