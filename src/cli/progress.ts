import type { JobPool, Orchestrator, PoolStreamEvent, RunStreamEvent, Workflow } from '../index.ts'
import { Activities } from './activities.ts'
import { type Line, lineText, styled } from './line.ts'
import { LiveScreen } from './live-screen.ts'
import { liveLines } from './live-view.ts'
import type { Output } from './output.ts'
import { noticeLine, poolEventLine, runEventLine } from './plain-view.ts'
import { clean } from './text.ts'

/** The run that is shown. */
export interface Watched {
  readonly workflow: Workflow
  readonly orchestrator: Orchestrator
  readonly pool: JobPool
  readonly startedAt: number
}

/** Shows a run while it goes on. */
export interface Progress {
  /** Tells a message of the runtime. */
  message(text: string): void
  /** Tells that the run is being cancelled. */
  cancelling(): void
  /** Shows nothing any more, and leaves nothing behind that will change. */
  stop(): void
}

const CANCELLING = 'cancelling; once more to exit at once'

export const silence: Progress = { message: () => {}, cancelling: () => {}, stop: () => {} }

/** Redraws the state of the run at the bottom of the terminal. */
export function showLive(watched: Watched, output: Output): Progress {
  const { workflow, orchestrator, pool, startedAt } = watched
  const activities = new Activities()
  let notice: string | undefined
  const screen = new LiveScreen(output, () => {
    const { running, zombies, maxParallelJobs } = pool.getStatus()
    const picture = {
      workflow: workflow.name,
      runId: orchestrator.runId,
      strategy: workflow.strategy ?? 'best-first',
      startedAt,
      now: Date.now(),
      tree: orchestrator.tree,
      activities: activities.byNode,
      retries: activities.retries,
      slots: { busy: running + zombies, total: maxParallelJobs },
      notice,
    }
    return liveLines(picture, output.rows)
  })
  const unwatch = watch(
    watched,
    (event) => {
      activities.takeRunEvent(event)
      screen.update()
    },
    (event) => {
      activities.takePoolEvent(event)
      screen.update()
    },
  )
  return {
    message: (text) => screen.printAbove(`${lineText(noticeLine(text, Date.now(), startedAt))}\n`),
    cancelling: () => {
      notice = CANCELLING
      screen.update()
    },
    stop: () => {
      unwatch()
      screen.stop()
    },
  }
}

/** Prints a line for each event worth reading. */
export function showPlain(watched: Watched, output: Output): Progress {
  const { workflow, orchestrator, startedAt } = watched
  const activities = new Activities()
  const { tree } = orchestrator
  const print = (line: Line | undefined) => {
    if (line !== undefined) output.print([line])
  }
  const unwatch = watch(
    watched,
    (event) => {
      if (event.type === 'run.started')
        print([styled('bold', clean(workflow.name)), `  run ${clean(event.runId)}`])
      if (event.type !== 'node.changed' || activities.isNews(event.node))
        print(runEventLine(event, startedAt, tree))
    },
    (event) => print(poolEventLine(event, startedAt, tree)),
  )
  const message = (text: string) => print(noticeLine(text, Date.now(), startedAt))
  return { message, cancelling: () => message(CANCELLING), stop: unwatch }
}

function watch(
  { orchestrator, pool }: Watched,
  takeRunEvent: (event: RunStreamEvent) => void,
  takePoolEvent: (event: PoolStreamEvent) => void,
): () => void {
  const ends = [orchestrator.on('*', takeRunEvent), pool.on('*', takePoolEvent)]
  return () => {
    for (const end of ends) end()
  }
}
