import type { RunRecord, StoreOwner } from '../../ports/run-store.ts'

/**
 * Whether a run has not ended, and no process works on it: it goes on when it is resumed.
 *
 * @param owner - Of its store, read before the run: one that ends the run and leaves in between has not interrupted it.
 */
export function isInterrupted(
  { status, ownedSince }: Pick<RunRecord, 'status' | 'ownedSince'>,
  owner: StoreOwner | undefined,
): boolean {
  return status === 'running' && (owner === undefined || ownedSince !== owner.since)
}
