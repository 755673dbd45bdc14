export { type MachinePath, type MachinePathsOptions, machinePaths } from '../statechart/index.ts'
export { type ContractHandler, type ExecutorContract, testExecutor } from './contracts/executor-contract.ts'
export { type RunStoreContract, testRunStore } from './contracts/run-store-contract.ts'
export { BUILT_IN_INVARIANTS, eventually } from './invariants/invariants.ts'
export {
  type AttemptFault,
  FAULT_TYPES,
  type Fault,
  type FaultType,
  type WorldFault,
} from './model/faults.ts'
export type { JournalEntry } from './model/journal.ts'
export type { HandlerModel, HandlerModels, Outcome, Stand } from './model/outcomes.ts'
export type { JobView } from './model/rows.ts'
export type { Deed, Step } from './model/step.ts'
export type { JobSet, Subject, WorldOptions, WorldPoolOptions } from './model/subject.ts'
export type { Eventually, Invariant, Violation, WorldView } from './model/world-view.ts'
export {
  type CheckOptions,
  type CheckProgress,
  type CheckReport,
  checkSubject,
  DEFAULT_CHECKED_FAULTS,
} from './search/check.ts'
export type { Counterexample } from './search/counterexample.ts'
export { Coverage, type MachineCoverage } from './search/coverage.ts'
export { type EmittedTest, emitTest } from './search/emit-test.ts'
export {
  type ExploreLimits,
  type ExploreOptions,
  type ExploreProgress,
  type ExploreReport,
  explore,
} from './search/explore.ts'
export { type ReplayReport, replay, traceOf } from './search/replay.ts'
export {
  type Latency,
  type SimulationOptions,
  type SimulationReport,
  simulate,
  simulateMany,
} from './search/simulate.ts'
export { type Scene, type Story, tell } from './search/story.ts'
export { SimulatedClock } from './world/simulated-clock.ts'
