import type { JobId } from '../../domain/job.ts'
import type { TreeLimits } from '../../domain/limits.ts'
import type { NodeId } from '../../domain/node-spec.ts'
import type { TreeNode } from '../../domain/tree.ts'
import type { RunOutcome } from '../../domain/workflow.ts'
import type { PoolCore } from '../../runtime/pool/job-pool.ts'
import type { Orchestrator } from '../../runtime/tree/orchestrator.ts'
import type { Body } from './body.ts'
import type { Disk } from './disk.ts'
import type { OpenQuestion } from './question.ts'
import type { JobView, Rows } from './rows.ts'

/** A promise that was broken. */
export interface Violation {
  /** The name of the invariant: a built-in one's, or the function's that was given. */
  readonly invariant: string
  readonly message: string
  /** When it showed, in ms since the world began. */
  readonly at: number
}

/** What must be so at every quiet point: throws when it is not; or what must come to be so. */
export type Invariant = ((world: WorldView) => void) | Eventually

/** What must have been so at some quiet point by the time the run has ended. */
export interface Eventually {
  readonly name: string
  readonly holds: (world: WorldView) => boolean
}

/** A world as invariants see it, at a point where nothing happens until time passes or somebody acts. */
export interface WorldView {
  /** The real pool. */
  readonly pool: PoolCore
  /** The real run; absent in a set of jobs. */
  readonly orchestrator: Orchestrator | undefined
  /** Epoch ms. */
  readonly now: number
  /** All jobs, in order of submission. */
  readonly jobs: readonly JobView[]
  readonly job: (id: JobId) => JobView | undefined
  /** The tree's nodes, in order of growth; none in a set of jobs. */
  readonly nodes: readonly TreeNode[]
  readonly node: (id: NodeId) => TreeNode | undefined
  /** A node by its id or key. */
  readonly nodeNamed: (name: string) => TreeNode | undefined
  /** How the run ended, once it has. */
  readonly outcome: RunOutcome | undefined
  /** Whether the run, or every job of a set, has ended. */
  readonly hasEnded: boolean
}

/** A world as the built-in invariants see it. */
export interface WatchedWorld extends WorldView {
  readonly rows: Rows
  readonly bodies: ReadonlyMap<string, Body>
  readonly questions: ReadonlyMap<NodeId, OpenQuestion>
  readonly clock: { readonly nextWakeAt: number | undefined }
  readonly limits: TreeLimits
  readonly agesJobs: boolean
  readonly releasesZombies: boolean
  /** Absent in a world whose processes keep nothing. */
  readonly disk: Disk | undefined
  /** Whether the pool starts nothing, since the store has refused a commit. */
  readonly isRefused: boolean
  /** Whether the run has ended in this process, since the store took no more of it. */
  readonly isGivenUp: boolean
  readonly invariants: readonly Invariant[]
  readonly kept: Set<string>
  breaks(invariant: string, message: string): void
}
