import { ABSENT, COMPLETED, FAILED, isEnded } from './job-states.ts'

/**
 * What lies below each node of a tree, the node itself included. Goes along with the moment: what has changed since the
 * last one is carried up, instead of counting all anew.
 */
export class RollUps {
  total = new Uint32Array(0)
  done = new Uint32Array(0)
  failed = new Uint32Array(0)
  open = new Uint32Array(0)
  /** The state of each node's job; {@link ABSENT} for a node that has not grown yet. */
  states = new Uint8Array(0)
  #changed = new Uint32Array(0)

  /** Counts as they are once each node's job is in the state that `stateOf` tells. */
  update(
    parents: Int32Array,
    depths: Uint32Array,
    nodeCount: number,
    stateOf: (node: number) => number,
  ): void {
    this.#makeRoom(nodeCount)
    const { states } = this
    const changed = this.#changed
    let count = 0
    let steps = 0
    for (let node = 0; node < nodeCount; node++) {
      if (stateOf(node) === states[node]) continue
      changed[count++] = node
      steps += depths[node]! + 1
    }
    if (steps > 2 * nodeCount) this.#countAll(parents, nodeCount, stateOf)
    else for (let index = 0; index < count; index++) this.#change(changed[index]!, parents, stateOf)
  }

  #change(changed: number, parents: Int32Array, stateOf: (node: number) => number): void {
    const [before, after] = [this.states[changed]!, stateOf(changed)]
    const total = Number(after !== ABSENT) - Number(before !== ABSENT)
    const done = Number(after === COMPLETED) - Number(before === COMPLETED)
    const failed = Number(after === FAILED) - Number(before === FAILED)
    const open = Number(isOpen(after)) - Number(isOpen(before))
    this.states[changed] = after
    for (let node = changed; node >= 0; node = parents[node]!) {
      this.total[node]! += total
      this.done[node]! += done
      this.failed[node]! += failed
      this.open[node]! += open
    }
  }

  #countAll(parents: Int32Array, nodeCount: number, stateOf: (node: number) => number): void {
    for (const counts of [this.total, this.done, this.failed, this.open]) counts.fill(0)
    // Children come after their parents: from the end, each has all of its own when it is added.
    for (let node = nodeCount - 1; node >= 0; node--) {
      const state = stateOf(node)
      this.states[node] = state
      if (state === ABSENT) continue
      this.total[node]!++
      if (state === COMPLETED) this.done[node]!++
      else if (state === FAILED) this.failed[node]!++
      else if (isOpen(state)) this.open[node]!++
      const parent = parents[node]!
      if (parent < 0) continue
      this.total[parent]! += this.total[node]!
      this.done[parent]! += this.done[node]!
      this.failed[parent]! += this.failed[node]!
      this.open[parent]! += this.open[node]!
    }
  }

  #makeRoom(nodeCount: number): void {
    const known = this.states.length
    if (nodeCount <= known) return
    const room = Math.ceil(nodeCount * 1.25)
    const grown = (counts: Uint32Array): Uint32Array<ArrayBuffer> => {
      const larger = new Uint32Array(room)
      larger.set(counts)
      return larger
    }
    this.total = grown(this.total)
    this.done = grown(this.done)
    this.failed = grown(this.failed)
    this.open = grown(this.open)
    this.#changed = new Uint32Array(room)
    const states = new Uint8Array(room).fill(ABSENT)
    states.set(this.states)
    this.states = states
  }
}

const isOpen = (state: number): boolean => state !== ABSENT && !isEnded(state)
