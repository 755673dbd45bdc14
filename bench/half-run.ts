// A run that is killed when half of its nodes have ended and the others are queued. Arguments: the store's file, how many.
import { defineWorkflow, JobPool, node, Orchestrator, type Workflow } from 'espalier'

/** How many attempts of the run may run at a time. */
export const SLOTS = 1_000

/** Two times `half` nodes that do nothing. */
export function twoHalves(half: number): Workflow {
  return defineWorkflow({
    name: 'halves',
    handlers: { noop: async () => {} },
    limits: { maxNodes: half * 2 },
    root: () => Array.from({ length: half * 2 }, () => node({ handler: 'noop' })),
  })
}

function runHalf(file: string, half: number): void {
  const pool = new JobPool({ store: file, maxParallelJobs: SLOTS })
  let ended = 0
  pool.on('job.completed', () => {
    ended++
    if (ended === half) process.kill(process.pid, 'SIGKILL')
  })
  void new Orchestrator(twoHalves(half), { pool, runId: 'halves' }).run()
}

if (import.meta.main) {
  const [file = '', half = ''] = process.argv.slice(2)
  runHalf(file, Number(half))
}
