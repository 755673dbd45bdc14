export { type MachinePath, type MachinePathsOptions, machinePaths } from '../statechart/index.ts'
export {
  type CheckOptions,
  type CheckProgress,
  type CheckReport,
  checkSubject,
  DEFAULT_CHECKED_FAULTS,
} from './check.ts'
export type { Counterexample } from './counterexample.ts'
export { Coverage, type MachineCoverage } from './coverage.ts'
export { type EmittedTest, emitTest } from './emit-test.ts'
export { type ContractHandler, type ExecutorContract, testExecutor } from './executor-contract.ts'
export {
  type ExploreLimits,
  type ExploreOptions,
  type ExploreProgress,
  type ExploreReport,
  explore,
} from './explore.ts'
export { type AttemptFault, FAULT_TYPES, type Fault, type FaultType, type WorldFault } from './faults.ts'
export { BUILT_IN_INVARIANTS, eventually } from './invariants.ts'
export type { JournalEntry } from './journal.ts'
export type { HandlerModel, HandlerModels, Outcome, Stand } from './outcomes.ts'
export { type ReplayReport, replay, traceOf } from './replay.ts'
export type { JobView } from './rows.ts'
export { type RunStoreContract, testRunStore } from './run-store-contract.ts'
export {
  type Latency,
  type SimulationOptions,
  type SimulationReport,
  simulate,
  simulateMany,
} from './simulate.ts'
export { SimulatedClock } from './simulated-clock.ts'
export type { Deed, Step } from './step.ts'
export { type Scene, type Story, tell } from './story.ts'
export type { JobSet, Subject, WorldOptions, WorldPoolOptions } from './subject.ts'
export type { Eventually, Invariant, Violation, WorldView } from './world-view.ts'
