import type { HostCapacity } from '../domain/capacity.ts'
import type { HostSample } from '../domain/pressure.ts'

/** The machine, or the container, that a pool runs in. */
export interface Host {
  /** What there is to use, now. */
  capacity(): HostCapacity
  /** Begins to watch how the machine feels. */
  watch(): HostWatch
}

/** A look at the machine that goes on until it is closed; it keeps no process alive. */
export interface HostWatch {
  /** How it feels since the last call. */
  sample(): HostSample
  close(): void
}
