import { existsSync } from 'node:fs'
import { shellWord } from '../domain/shell-word.ts'
import {
  type EndedStatus,
  EspalierError,
  type KeepRule,
  openSqliteStore,
  type RunRecord,
  type RunStore,
  verifyStore,
} from '../index.ts'
import { UsageError } from './usage-error.ts'

/** Where runs are kept when nobody says otherwise: what `--store` and `ESPALIER_STORE` name. */
const DEFAULT_STORE = 'runs.db'

export interface StoreOptions {
  readonly store?: string
  /** Checks first that the journal folds to the stored state. */
  readonly verify?: boolean
}

/** What to keep of what has ended; the rest is let go of. */
export interface KeepOptions {
  readonly keepCompleted?: KeepRule
  readonly keepFailed?: KeepRule
  readonly keepCancelled?: KeepRule
}

/**
 * Opens the store in which a run is kept.
 *
 * @param asked - The runs that the command is about: none of them is let go of by opening.
 * @throws {UsageError} When something is to be kept, and nowhere.
 * @throws {EspalierError} `ESP_STORE_…`.
 */
export function openKept(
  file: string | undefined,
  options: KeepOptions,
  asked: readonly string[],
): RunStore | undefined {
  const keep = keepOf(options)
  const isKeeping = Object.keys(keep).length > 0
  if (file !== undefined) return openSqliteStore(file, isKeeping ? { keep: sparing(asked, keep, file) } : {})
  if (isKeeping) throw new UsageError('--keep-… is about a store. Name one with --store.')
  return undefined
}

/** The rules but for those that would let go of a run that is asked for: they wait for the next command. */
function sparing(asked: readonly string[], keep: Rules, file: string): Rules {
  const runs = existsSync(file) ? withReader({ store: file }, (store) => store.runs()) : []
  const lost = runs.filter((run) => asked.includes(run.id) && isLetGo(run, keep, runs))
  return Object.fromEntries(
    Object.entries(keep).filter(([status]) => !lost.some((run) => run.status === status)),
  )
}

function isLetGo({ status, endedAt }: RunRecord, keep: Rules, runs: readonly RunRecord[]): boolean {
  if (status === 'running' || endedAt === undefined) return false
  const { count = Number.POSITIVE_INFINITY, ageMs = Number.POSITIVE_INFINITY } = keep[status] ?? {}
  const upToIt = runs.filter((run) => run.status === status && (run.endedAt ?? 0) >= endedAt)
  return upToIt.length > count || Date.now() - endedAt > ageMs
}

type Rules = Partial<Readonly<Record<EndedStatus, KeepRule>>>

export function keepOf({ keepCompleted, keepFailed, keepCancelled }: KeepOptions): Rules {
  return {
    ...(keepCompleted && { completed: keepCompleted }),
    ...(keepFailed && { failed: keepFailed }),
    ...(keepCancelled && { cancelled: keepCancelled }),
  }
}

/** The file of the store that a command works with. */
export function storeFile({ store }: StoreOptions): string {
  return store ?? process.env.ESPALIER_STORE ?? DEFAULT_STORE
}

/**
 * Lets `look` read a store, also while another process owns it.
 *
 * @throws {EspalierError} `ESP_STORE_…`.
 */
export function withReader<Result>(options: StoreOptions, look: (store: RunStore) => Result): Result {
  const store = openSqliteStore(storeFile(options), { readOnly: true })
  try {
    return store.snapshot(() => {
      if (options.verify) verifyStore(store)
      return look(store)
    })
  } finally {
    store.close()
  }
}

/** By which a stored run goes on, as it is typed in a shell. */
export function resumeCommand(runId: string, store: string): string {
  return `espalier resume ${shellWord(runId)} --store ${shellWord(store)}`
}

/** A run that must be there. @throws {EspalierError} `ESP_UNKNOWN_RUN`. */
export function findRun(store: RunStore, runId: string): RunRecord {
  const run = store.run(runId)
  if (run === undefined) throw new EspalierError('ESP_UNKNOWN_RUN', { runId, store: store.name })
  return run
}
