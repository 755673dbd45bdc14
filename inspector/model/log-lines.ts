import type { Block } from '../../src/protocol/journal.ts'
import { append, f64, u8, u32 } from './column.ts'
import { JobRows } from './job-rows.ts'

/** Lines that attempts have logged, or written. */
export class LogLines {
  readonly columns = {
    /** Epoch ms. */
    at: f64(),
    job: u32(),
    attempt: u32(),
    line: u32(),
    /** Index into `LOG_STREAMS`. */
    stream: u8(),
  }
  readonly #rows = new JobRows()

  append({ at, ...others }: Block['tables']['logs'], epoch: number): void {
    for (const instant of at) this.columns.at.push(epoch + instant / 1000)
    append<keyof typeof others>(this.columns, others)
    this.#rows.add(others.job)
  }

  /** The rows of a job until an instant, first one first. */
  until(job: number, at: number): number[] {
    return this.#rows.of(job).filter((row) => this.columns.at.data[row]! <= at)
  }
}
