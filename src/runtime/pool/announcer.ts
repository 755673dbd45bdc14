import type { Logger } from '../../ports/logger.ts'
import { EventHub } from '../events/event-hub.ts'
import { POOL_EVENT_TYPES } from '../events/event-types.ts'
import type { PoolEventType, PoolStreamEvent } from '../events/events.ts'
import type { JobActor } from '../job/job-actor.ts'

/** Tells others what happens in a pool: whoever listens to its events, and whoever waits until it is idle. */
export class Announcer {
  readonly events: EventHub<PoolStreamEvent>
  #idleWaiters: (() => void)[] = []

  constructor(logger: Logger) {
    this.events = new EventHub(POOL_EVENT_TYPES, (thrown, type) =>
      logger.error(`A listener of "${type}" threw.`, thrown),
    )
  }

  /** Whether anybody listens: else an event need not be made. */
  hasListeners(type: PoolEventType): boolean {
    return this.events.hasListeners(type)
  }

  tell(event: PoolStreamEvent): void {
    if (this.events.hasListeners(event.type)) this.events.emit(event)
  }

  /** Tells of something that happened to a job. */
  tellOf(job: JobActor, type: PoolEventType, at: number, facts: object): void {
    const { id: jobId, nodeId, treeId } = job
    this.events.emit({ type, at, jobId, nodeId, treeId, ...facts } as PoolStreamEvent)
  }

  get hasIdleWaiters(): boolean {
    return this.#idleWaiters.length > 0
  }

  /** @returns A function that stops waiting. */
  addIdleWaiter(callback: () => void): () => void {
    this.#idleWaiters.push(callback)
    return () => {
      this.#idleWaiters = this.#idleWaiters.filter((waiter) => waiter !== callback)
    }
  }

  tellIdle(): void {
    const waiters = this.#idleWaiters
    this.#idleWaiters = []
    for (const waiter of waiters) waiter()
  }
}
