export { type JobContext, type JobEvent, type JobInput, type JobOrigin, jobMachine } from './job.machine.ts'
export {
  type OrchestratorContext,
  type OrchestratorEvent,
  type OrchestratorInput,
  type OrchestratorOutput,
  orchestratorMachine,
  type TreeCounts,
} from './orchestrator.machine.ts'
export {
  type JobCounts,
  type PoolContext,
  type PoolEvent,
  type PoolInput,
  type PoolPressure,
  poolMachine,
} from './pool.machine.ts'
