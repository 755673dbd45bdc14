import { ABSENT, CANCELLED, COMPLETED, FAILED, isEnded, isRunning } from './job-states.ts'
import type { Moment } from './moment.ts'
import type { RunStore } from './run-store.ts'

/** All jobs of one kind, as one node of the graph. */
export interface KindNode {
  /** String. */
  readonly kind: number
  readonly name: string
  readonly total: number
  readonly done: number
  readonly failed: number
  readonly cancelled: number
  readonly running: number
  readonly open: number
}

export interface KindGraph {
  /** The kinds with most jobs first. */
  readonly nodes: readonly KindNode[]
  /** How many kinds there are, beside these too. */
  readonly kinds: number
  /** Places in `nodes`: jobs of `to` depend on jobs of `from`, so many times. */
  readonly edges: readonly { readonly from: number; readonly to: number; readonly count: number }[]
}

/** Which kinds of jobs depend on which at a moment, of at most so many kinds. Tables count them: it is done for each frame. */
export function kindGraph(run: RunStore, moment: Moment, most: number): KindGraph {
  const places = new Int32Array(run.strings.length).fill(-1)
  const all: { -readonly [Field in keyof KindNode]: KindNode[Field] }[] = []
  const { data: kinds } = run.jobs.kind
  const { states } = moment
  for (let job = 0; job < run.jobCount; job++) {
    const state = states[job]!
    if (state === ABSENT) continue
    const kind = kinds[job]!
    let place = places[kind]!
    if (place < 0) {
      place = all.length
      places[kind] = place
      all.push({
        kind,
        name: run.text(kind),
        total: 0,
        done: 0,
        failed: 0,
        cancelled: 0,
        running: 0,
        open: 0,
      })
    }
    const node = all[place]!
    node.total++
    if (state === COMPLETED) node.done++
    else if (state === FAILED) node.failed++
    else if (state === CANCELLED) node.cancelled++
    else if (isRunning(state)) node.running++
    if (!isEnded(state)) node.open++
  }
  const nodes = [...all].sort((a, b) => b.total - a.total).slice(0, most)
  places.fill(-1)
  nodes.forEach(({ kind }, place) => {
    places[kind] = place
  })
  const counts = new Uint32Array(nodes.length ** 2)
  run.links.forEach((dependant, dependency) => {
    if (states[dependant] === ABSENT) return
    const from = places[kinds[dependency]!]!
    const to = places[kinds[dependant]!]!
    if (from >= 0 && to >= 0) counts[from * nodes.length + to]!++
  })
  const edges: { from: number; to: number; count: number }[] = []
  counts.forEach((count, pair) => {
    if (count > 0) edges.push({ from: Math.floor(pair / nodes.length), to: pair % nodes.length, count })
  })
  return { nodes, kinds: all.length, edges }
}

/** How many dependencies there are at a moment: those of the jobs that are there. */
export function linksAt(run: RunStore, { states, total }: Moment): number {
  if (total === run.jobCount) return run.links.length
  let count = 0
  run.links.forEach((dependant) => {
    if (states[dependant] !== ABSENT) count++
  })
  return count
}

/** Some jobs around one, and how many more there are beside them. */
export interface Neighbourhood {
  readonly jobs: readonly number[]
  /** Places in `jobs`: the second depends on the first. */
  readonly edges: readonly (readonly [number, number])[]
  /** Of each, how many neighbours are not in the picture. */
  readonly hidden: readonly { readonly before: number; readonly after: number }[]
}

/** What a job depends on and what depends on it, up to a depth each way and so many jobs in all. */
export function neighbourhood(run: RunStore, job: number, depth: number, most: number): Neighbourhood {
  const places = new Map([[job, 0]])
  const spread = (next: (each: number) => number[]) => {
    let edge = [job]
    for (let level = 0; level < depth && edge.length > 0; level++) {
      const found: number[] = []
      for (const each of edge) {
        for (const other of next(each)) {
          if (places.has(other) || places.size >= most) continue
          places.set(other, places.size)
          found.push(other)
        }
      }
      edge = found
    }
  }
  spread((each) => run.links.dependenciesOf(each, most))
  spread((each) => run.links.dependantsOf(each, most))
  const jobs = [...places.keys()]
  const edges: (readonly [number, number])[] = []
  const hidden = jobs.map((each, place) => {
    const before = run.links.dependenciesOf(each)
    const after = run.links.dependantsOf(each)
    for (const other of before) {
      const from = places.get(other)
      if (from !== undefined) edges.push([from, place])
    }
    const outside = (others: readonly number[]) => others.filter((other) => !places.has(other)).length
    return { before: outside(before), after: outside(after) }
  })
  return { jobs, edges, hidden }
}

/** The chain of jobs that decided when the run was over. */
export interface CriticalPath {
  /** First job first. */
  readonly jobs: readonly number[]
  /** From the first one's submission to the last one's end, ms. */
  readonly spanMs: number
  /** Of that, in attempts. */
  readonly runMs: number
  /** In the ready queue. */
  readonly waitMs: number
}

/** From the job that ended last back over, each time, the dependency that ended last. */
export function criticalPath(run: RunStore, moment: Moment): CriticalPath | undefined {
  const { data: ended } = run.jobs.endedAt
  const { states } = moment
  let last = -1
  for (let job = 0; job < run.jobCount; job++) {
    if (!isEnded(states[job]!) || run.jobs.lastSlice.data[job]! < 0) continue
    if (last < 0 || ended[job]! > ended[last]!) last = job
  }
  if (last < 0) return undefined
  // In a set: a chain may be as long as the run.
  const chain = new Set([last])
  for (let job = last; ; ) {
    let before = -1
    for (const each of run.links.dependenciesOf(job))
      if (before < 0 || ended[each]! > ended[before]!) before = each
    if (before < 0 || Number.isNaN(ended[before]!) || chain.has(before)) break
    chain.add(before)
    job = before
  }
  const jobs = [...chain].reverse()
  const sum = (of: Float32Array) => jobs.reduce((total, job) => total + of[job]!, 0)
  return {
    jobs,
    spanMs: ended[last]! - run.jobs.queuedAt.data[jobs[0]!]!,
    runMs: sum(run.jobs.runMs.data),
    waitMs: sum(run.jobs.waitMs.data),
  }
}
