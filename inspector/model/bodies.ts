import type { Block } from '../../src/protocol/journal.ts'
import { f64, u32 } from './column.ts'
import { JobRows } from './job-rows.ts'

/** Where the machines were that jobs ran: for each attempt a row when it began, and one for each other state. */
export class Bodies {
  /** Epoch ms. */
  readonly at = f64()
  readonly attempt = u32()
  /** String: the hash of the machine; 0 for an actor that is none. */
  readonly machine = u32()
  /** String: JSON, the ids of the active states; 0 where they are not known. */
  readonly active = u32()
  readonly #rows = new JobRows()

  append(rows: Block['tables']['bodies'], epoch: number): void {
    for (const at of rows.at) this.at.push(epoch + at / 1000)
    this.attempt.append(rows.attempt)
    this.machine.append(rows.machine)
    this.active.append(rows.active)
    this.#rows.add(rows.job)
  }

  /** The rows of a job until an instant, first one first. */
  until(job: number, at: number): number[] {
    return this.#rows.of(job).filter((row) => this.at.data[row]! <= at)
  }
}
