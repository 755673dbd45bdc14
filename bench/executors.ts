import { JobPool } from 'espalier'
import { atLeast, type Measures, measureAll, type Row } from './suite.ts'

const COMMANDS = 12
/** Computes for some 100 ms, whatever else the machine does. */
const COMPUTE = 'let sum = 0; for (let i = 0; i < 1e8; i++) sum = (sum + i * i) % 1000003; console.log(sum)'

/** Jobs a second. */
export const measures = {
  commandOnOne: () => commands(1),
  commandOnTwo: () => commands(2),
} satisfies Measures

/** How executors do beside what they stand on, and on two cores beside one. */
export async function executors(progress: (what: string) => void): Promise<Row[]> {
  const names = Object.keys(measures) as (keyof typeof measures)[]
  const { commandOnOne, commandOnTwo } = await measureAll('executors', names, progress)
  return [
    atLeast('command/cores', 'CPU-bound commands, two at a time beside one', commandOnTwo, commandOnOne, 1.9),
  ]
}

async function commands(maxParallelJobs: number): Promise<number> {
  await using pool = new JobPool({ executorType: 'command', maxParallelJobs })
  const execute = { command: process.execPath, args: ['-e', COMPUTE] }
  const startedAt = performance.now()
  const jobs = pool.submitJobs(Array.from({ length: COMMANDS }, () => ({ execute })))
  await Promise.all(jobs.map((job) => job.value()))
  return (COMMANDS / (performance.now() - startedAt)) * 1000
}
