import type { JobUsage } from '../../domain/job.ts'
import type { PackedError } from '../packed-error.ts'
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
  /** It cannot read the attempt that it was given. */
  | { readonly kind: 'unread'; readonly error: PackedError }

/** An attempt that has completed, which is what most reports tell: without names it is written and read in half the time. */
type Completed = readonly [
  value: unknown,
  cpuMs: number | undefined,
  peakMemoryBytes: number | undefined,
  stdoutBytes: number | undefined,
  stderrBytes: number | undefined,
]

/** A report as it travels. */
export type ReportMessage = Report | Completed

export function toMessage(report: Report): ReportMessage {
  if (report.kind !== 'ended' || report.outcome.verb !== 'completed') return report
  const { outcome, stdoutBytes, stderrBytes } = report
  const { cpuMs, peakMemoryBytes } = outcome.usage
  return [outcome.value, cpuMs, peakMemoryBytes, stdoutBytes, stderrBytes]
}

export function toReport(message: ReportMessage): Report {
  if ('kind' in message) return message
  const [value, cpuMs, peakMemoryBytes, stdoutBytes, stderrBytes] = message
  const usage = { cpuMs, peakMemoryBytes } as JobUsage
  return { kind: 'ended', outcome: { verb: 'completed', value, usage }, stdoutBytes, stderrBytes } as Report
}
