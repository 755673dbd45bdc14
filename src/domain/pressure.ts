import { EspalierError } from './errors.ts'

/** How a machine feels at one instant; what it cannot measure is absent. */
export interface HostSample {
  /** How much of the memory is used, from 0 to 1: of the machine, or of the container where that is worse. */
  readonly memoryShare?: number | undefined
  /** The load average of the last minute, for each core. */
  readonly cpuLoad?: number | undefined
  /** How long what arrives in this process waits until the event loop turns, on average since the last sample, in ms. */
  readonly eventLoopDelayMs?: number | undefined
}

export type PressureMeasure = keyof HostSample

/** Pressure is raised at one value and cleared below another, so that it does not flicker. */
export interface PressureThreshold {
  readonly raise: number
  readonly clear: number
}

/** Option `pressure` of a pool. A number is the value that raises; it clears below 0.8 of it. */
export type PressureOptions = {
  readonly [Measure in PressureMeasure]?: number | PressureThreshold | false
} & {
  /** How often the machine is looked at while jobs run, in ms. Default 1,000. */
  readonly sampleMs?: number
}

export interface PressureRule {
  readonly sampleMs: number
  readonly thresholds: Readonly<Partial<Record<PressureMeasure, PressureThreshold>>>
}

/** One measure that is too high. */
export interface PressureReason {
  readonly measure: PressureMeasure
  readonly value: number
  /** Below this it counts as over. */
  readonly clear: number
}

const DEFAULTS: Readonly<Record<PressureMeasure, PressureThreshold | false>> = {
  memoryShare: { raise: 0.9, clear: 0.85 },
  // A pool that uses every core, or jobs that compute in this process, are no fault: only their user knows what is too much.
  cpuLoad: false,
  eventLoopDelayMs: false,
}
const DEFAULT_SAMPLE_MS = 1_000
const DEFAULT_CLEAR_SHARE = 0.8

/**
 * Completes the option `pressure`.
 *
 * @throws {EspalierError} `ESP_INVALID_OPTION`, naming the part.
 */
export function resolvePressure(options: PressureOptions = {}): PressureRule {
  const refuse = (option: string, expected: string, got: unknown) => {
    throw new EspalierError('ESP_INVALID_OPTION', { option, expected, got })
  }
  if (typeof options !== 'object' || options === null || Symbol.iterator in options)
    refuse('pressure', 'false, or an object of thresholds', options)
  const names = [...Object.keys(DEFAULTS), 'sampleMs']
  for (const name of Object.keys(options))
    if (!names.includes(name)) refuse('pressure', `made of ${names.join(', ')}`, name)
  const { sampleMs = DEFAULT_SAMPLE_MS } = options
  if (!(Number.isFinite(sampleMs) && sampleMs > 0))
    refuse('pressure.sampleMs', 'a finite number above 0', sampleMs)
  const thresholds: Partial<Record<PressureMeasure, PressureThreshold>> = {}
  for (const [measure, standard] of Object.entries(DEFAULTS) as [
    PressureMeasure,
    PressureThreshold | false,
  ][]) {
    const { [measure]: given = standard } = options
    if (given === false) continue
    const threshold = typeof given === 'number' ? { raise: given, clear: given * DEFAULT_CLEAR_SHARE } : given
    const { raise, clear } = (threshold ?? {}) as PressureThreshold
    if (!(Number.isFinite(raise) && raise > 0 && Number.isFinite(clear) && clear > 0 && clear <= raise)) {
      refuse(`pressure.${measure}`, 'false, a number above 0, or { raise, clear } with clear ≤ raise', given)
    }
    thresholds[measure] = { raise, clear }
  }
  return { sampleMs, thresholds }
}

/**
 * What is too high now, given what was too high before; empty: nothing.
 *
 * A measure that is absent from the sample tells nothing new: what it said before stands.
 */
export function judgePressure(
  { thresholds }: PressureRule,
  sample: HostSample,
  before: readonly PressureReason[],
): PressureReason[] {
  const reasons: PressureReason[] = []
  for (const [measure, { raise, clear }] of Object.entries(thresholds) as [
    PressureMeasure,
    PressureThreshold,
  ][]) {
    const value = sample[measure]
    const known = before.find((reason) => reason.measure === measure)
    if (value === undefined) {
      if (known !== undefined) reasons.push(known)
    } else if (value >= (known === undefined ? raise : clear)) {
      reasons.push({ measure, value, clear })
    }
  }
  return reasons
}

/** A reason in words. */
export function describePressure({ measure, value, clear }: PressureReason): string {
  switch (measure) {
    case 'memoryShare':
      return `${percent(value)} of the memory is used (clears below ${percent(clear)})`
    case 'cpuLoad':
      return `the load is ${round(value)} a core (clears below ${round(clear)})`
    case 'eventLoopDelayMs':
      return `the event loop turns ${Math.round(value)} ms late (clears below ${Math.round(clear)} ms)`
  }
}

const round = (value: number): number => Math.round(value * 100) / 100
const percent = (share: number): string => `${Math.round(share * 100)} %`
