import type { Description } from '../../diagram/describe.ts'
import type { MadeBlock } from '../notes/journal-maker.ts'
import type { RawChunk } from '../notes/raw-chunk.ts'
import type { Query } from '../queries/query.ts'

/** What the worker that makes the journal is started with. */
export interface FeedSettings {
  readonly startedAt: number
  /** The name of the pool's own executor. */
  readonly executor: string
  readonly idPrefix: string
}

/** What the pool's thread tells the worker. */
export type Question =
  /** Makes blocks of what has been noted. */
  | { readonly type: 'cut'; readonly chunks: readonly RawChunk[] }
  /** `blocks` are those that no question before came with. */
  | {
      readonly type: 'query'
      readonly id: number
      readonly query: Query
      readonly blocks: readonly Uint8Array[]
    }
  | {
      readonly type: 'layout'
      readonly id: number
      readonly machine: string
      readonly description: Description
    }

/** What the worker tells the pool's thread. */
export type Answer =
  | { readonly type: 'blocks'; readonly blocks: readonly MadeBlock[] }
  | { readonly type: 'found'; readonly id: number; readonly result: unknown }
  | { readonly type: 'failed'; readonly id: number; readonly message: string }
