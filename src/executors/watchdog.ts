import { type ChildProcess, spawn } from 'node:child_process'
import { ownFile } from './own-file.ts'

/**
 * Ends process groups when this process dies, however it dies.
 *
 * A process of its own, started with the first group, holds the numbers of all groups that run, and one end of a pipe. When
 * this process ends, by `kill -9` too, the system closes the other end: then it kills them. What a dying process has
 * spawned but not yet told of is the gap that remains, some microseconds wide.
 */
export class Watchdog {
  readonly #groups = new Set<number>()
  #process: ChildProcess | undefined

  /** To be called before anything is started that is to be guarded. @throws {EspalierError} `ESP_BUNDLED`. */
  check(): void {
    ownFile('watchdog-main')
  }

  /** @param leader - The pid of a detached child. */
  guard(leader: number): void {
    this.#groups.add(leader)
    if (this.#process === undefined) this.#start()
    else this.#tell(`+${leader}`)
  }

  /** To be called when nothing of the group is left: its number may then be another's. */
  release(leader: number): void {
    if (this.#groups.delete(leader)) this.#tell(`-${leader}`)
  }

  /** Ends the process itself; to be called when no group runs any more. */
  async close(): Promise<void> {
    const closing = this.#process
    if (closing === undefined) return
    this.#process = undefined
    closing.ref()
    const ended = new Promise((resolve) => closing.once('exit', resolve))
    closing.kill('SIGKILL')
    await ended
  }

  #start(): void {
    const started = spawn(process.execPath, [ownFile('watchdog-main')], {
      // In a session of its own: what ends this process by its terminal or its group is not to end that one too.
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
      env: {},
    })
    this.#process = started
    const forget = () => {
      if (this.#process === started) this.#process = undefined
    }
    // Should it be killed, the next group gets a new one, which is told of all.
    started.on('error', forget)
    started.on('exit', forget)
    started.stdin?.on('error', forget)
    started.unref()
    ;(started.stdin as unknown as { unref(): void } | null)?.unref()
    for (const leader of this.#groups) this.#tell(`+${leader}`)
  }

  #tell(line: string): void {
    this.#process?.stdin?.write(`${line}\n`)
  }
}
