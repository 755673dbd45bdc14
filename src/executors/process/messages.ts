import type { Outcome, Said } from '../worker/messages.ts'

/** What the process of the `process` executor tells its parent. */
export type Report =
  /** It can take attempts; this is what it weighs by itself. */
  | { readonly kind: 'ready'; readonly residentBytes: number }
  | ({ readonly kind: 'said' } & Said)
  | {
      readonly kind: 'ended'
      readonly outcome: Outcome
      /** How much it has written to its standard streams, ever: all of it is to be read first. */
      readonly stdoutBytes: number
      readonly stderrBytes: number
    }
  /** It is to be given no more attempts. */
  | { readonly kind: 'unfit' }
