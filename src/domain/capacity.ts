/** What a pool may use of the machine, or of the container it runs in. */
export interface HostCapacity {
  /** Cores that this process may run on. */
  readonly cores: number
  /** How many cores' time the container may use, as a fraction; absent: no such limit. */
  readonly containerCpus: number | undefined
  /** What the machine has, or the container's limit when that is less. */
  readonly totalMemoryBytes: number
  /** What of it is free, or can be made free without swapping. */
  readonly availableMemoryBytes: number
}

/** How `maxParallelJobs: 'auto'` was worked out. */
export interface AutoLimit extends HostCapacity {
  readonly maxParallelJobs: number
  /** What was the least. */
  readonly boundBy: 'cores' | 'memory' | 'container'
  /** The same in words. */
  readonly formula: string
}

const GIB = 1024 ** 3
const JOBS_PER_GIB = 2

/** As many jobs as there are cores, at most two for each GiB of memory, and no more than the container's share of CPU. */
export function autoLimit(capacity: HostCapacity): AutoLimit {
  const { cores, containerCpus, availableMemoryBytes } = capacity
  const gib = availableMemoryBytes / GIB
  const bounds: { readonly by: AutoLimit['boundBy']; readonly jobs: number }[] = [
    { by: 'cores', jobs: cores },
    { by: 'memory', jobs: gib * JOBS_PER_GIB },
  ]
  if (containerCpus !== undefined) bounds.push({ by: 'container', jobs: containerCpus })
  const least = bounds.reduce((first, other) => (other.jobs < first.jobs ? other : first))
  const maxParallelJobs = Math.max(1, Math.floor(least.jobs))
  const container =
    containerCpus === undefined ? 'no container limit' : `container's ${round(containerCpus)} CPUs`
  return {
    ...capacity,
    maxParallelJobs,
    boundBy: least.by,
    formula:
      `min(${cores} cores, ${round(gib)} GiB available × ${JOBS_PER_GIB}, ${container}) = ${maxParallelJobs}, ` +
      `bound by ${least.by}`,
  }
}

const round = (value: number): number => Math.round(value * 100) / 100
