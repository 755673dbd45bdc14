import { parentPort, workerData } from 'node:worker_threads'
import { importPlanted, type Mutant } from './plant.ts'
import { type Scenario, type ScenarioName, scenarios } from './scenarios.ts'

/** How a mutant is to be caught. */
export interface Hunt {
  readonly scenario: ScenarioName
  readonly by: 'explore' | 'simulate'
  /** States, or runs. */
  readonly within: number
}

export interface Trial {
  /** Absent: the code as it is. */
  readonly mutant?: Mutant
  readonly hunt: Hunt
}

export interface Verdict {
  /** The promise that was broken; absent when the mutant went by unseen. */
  readonly caughtBy: string | undefined
  readonly message: string | undefined
  /** States or runs it took. */
  readonly took: number
  /** Why it could not be planted. */
  readonly fault: string | undefined
}

/** Plants a mutant, and hunts it. */
async function judge({ mutant, hunt: { scenario, by, within } }: Trial): Promise<Verdict> {
  try {
    const { explore, simulateMany } = await importPlanted(mutant)
    const { subject, options }: Scenario = scenarios[scenario]
    if (by === 'explore') {
      const { violation, states } = await explore(subject, { ...options, limits: { maxStates: within } })
      return { caughtBy: violation?.invariant, message: violation?.message, took: states, fault: undefined }
    }
    const { failed, runs } = await simulateMany(subject, { ...options, runs: within })
    const { violation } = failed ?? {}
    return { caughtBy: violation?.invariant, message: violation?.message, took: runs, fault: undefined }
  } catch (thrown) {
    return {
      caughtBy: undefined,
      message: undefined,
      took: 0,
      fault: String((thrown as Error)?.stack ?? thrown),
    }
  }
}

for (const trial of workerData as readonly Trial[]) parentPort?.postMessage(await judge(trial))
