import type { Outcome, Said } from './messages.ts'

/** What a thread or process tells the executor, in order. */
export type Report =
  /** It can take attempts; this is what it holds by itself: limits do not count it. */
  | { readonly kind: 'ready'; readonly ownBytes: number }
  | ({ readonly kind: 'said' } & Said)
  | {
      readonly kind: 'ended'
      readonly outcome: Outcome
      /** How much a process has written to its standard streams, ever: all of it is to be read first. */
      readonly stdoutBytes?: number
      readonly stderrBytes?: number
    }
  /** It is to be given no more attempts. */
  | { readonly kind: 'unfit' }
