import { EspalierError } from '../../domain/errors.ts'
import type { JobId } from '../../domain/job.ts'

/** A job of a batch, as far as its dependencies go. */
export interface Dependant {
  readonly id: JobId
  readonly dependencies: readonly JobId[]
}

/**
 * Checks the dependencies inside a batch; nothing is submitted when it throws.
 *
 * @param isKnown - Whether a job outside the batch was ever submitted.
 * @throws {EspalierError} `ESP_DEPENDENCY_SELF`, `ESP_DEPENDENCY_UNKNOWN` or `ESP_DEPENDENCY_CYCLE`, naming the path.
 */
export function checkDependencies(batch: readonly Dependant[], isKnown: (id: JobId) => boolean): void {
  const places = new Map(batch.map((job, index) => [job.id, index]))
  let looksForward = false
  batch.forEach((job, index) => {
    for (const dependency of job.dependencies) {
      if (dependency === job.id) throw new EspalierError('ESP_DEPENDENCY_SELF', { jobId: job.id })
      const place = places.get(dependency)
      if (place === undefined && !isKnown(dependency)) {
        throw new EspalierError('ESP_DEPENDENCY_UNKNOWN', { jobId: job.id, dependency })
      }
      if (place !== undefined && place > index) looksForward = true
    }
  })
  // Jobs that depend on earlier ones only cannot form a cycle.
  if (!looksForward) return
  const path = findCycle(batch, places)
  if (path !== undefined) throw new EspalierError('ESP_DEPENDENCY_CYCLE', { path })
}

/** A cycle as a path that ends where it began. Iterative: a chain may be a million jobs long. */
function findCycle(batch: readonly Dependant[], places: ReadonlyMap<JobId, number>): JobId[] | undefined {
  const UNSEEN = 0
  const OPEN = 1
  const DONE = 2
  const marks = new Uint8Array(batch.length)
  const nextEdge = new Uint32Array(batch.length)
  for (let start = 0; start < batch.length; start++) {
    if (marks[start] !== UNSEEN) continue
    const path = [start]
    marks[start] = OPEN
    while (path.length > 0) {
      const index = path[path.length - 1] as number
      const { dependencies } = batch[index] as Dependant
      const edge = nextEdge[index] as number
      if (edge === dependencies.length) {
        marks[index] = DONE
        path.pop()
        continue
      }
      nextEdge[index] = edge + 1
      const place = places.get(dependencies[edge] as JobId)
      if (place === undefined || marks[place] === DONE) continue
      if (marks[place] === OPEN) {
        return [...path.slice(path.indexOf(place)), place].map((at) => (batch[at] as Dependant).id)
      }
      marks[place] = OPEN
      path.push(place)
    }
  }
  return undefined
}
