export { JobPool, type RunOptions, runWorkflow } from './compose.ts'
export type { AutoLimit, HostCapacity } from './domain/capacity.ts'
export type { CommandLine, CommandResult } from './domain/command.ts'
export {
  type Decision,
  type DecisionCut,
  type DecisionOptions,
  type DecisionRecord,
  grow,
  prune,
  revise,
  satisfy,
  stop,
} from './domain/decision.ts'
export { type ErrorCode, EspalierError, errorCodes, isEspalierError } from './domain/errors.ts'
export type { DurationSummary } from './domain/histogram.ts'
export type {
  CancelledResult,
  CancelSource,
  Closure,
  CompletedResult,
  EndedStatus,
  Execute,
  FailedResult,
  FailureReason,
  HandlerContext,
  JobId,
  JobPolicy,
  JobResult,
  JobSpec,
  JobStatus,
  JobUsage,
  MachineBody,
  ModuleHandler,
  OutputStream,
  Transferable,
} from './domain/job.ts'
export type { Keep, KeepRule } from './domain/keep.ts'
export type { Budget, TreeLimits } from './domain/limits.ts'
export { type JobSettings, type NodeId, type NodePatch, type NodeSpec, node } from './domain/node-spec.ts'
export type {
  HostSample,
  PressureMeasure,
  PressureOptions,
  PressureReason,
  PressureThreshold,
} from './domain/pressure.ts'
export { PRIORITIES, type Priority } from './domain/priority.ts'
export type { Resources } from './domain/resources.ts'
export type { Backoff } from './domain/retry.ts'
export type { ErrorJson, JobSubmitted, StoredExecute, TraceEntry, TraceEvent } from './domain/trace.ts'
export type { NodeStatus, RunReason, Strategy, Tree, TreeNode } from './domain/tree.ts'
export {
  defineWorkflow,
  type ExpandAnswer,
  type ExpandRequest,
  type RunMetrics,
  type RunOutcome,
  type Workflow,
} from './domain/workflow.ts'
export type { Clock } from './ports/clock.ts'
export type { Attempt, AttemptSink, Executor, ExecutorSupports } from './ports/executor.ts'
export type { Host, HostWatch } from './ports/host.ts'
export type { Logger } from './ports/logger.ts'
export type { Ids, Random } from './ports/random.ts'
export type {
  JobEnd,
  JobRecord,
  NodeRecord,
  PruneReport,
  PruneRule,
  RunRecord,
  RunStatus,
  RunStore,
  StoreBatch,
  StoreEvent,
  StoreOwner,
  StoreSize,
} from './ports/run-store.ts'
export type {
  PoolEventMap,
  PoolEventOf,
  PoolEventType,
  PoolListener,
  PoolStreamEvent,
} from './runtime/events/events.ts'
export type { RunEventMap, RunEventOf, RunEventType, RunStreamEvent } from './runtime/events/run-events.ts'
export type { Job } from './runtime/job/job.ts'
export type { Cause, Holder, JobExplanation, Want } from './runtime/pool/explain.ts'
export { explainStored } from './runtime/pool/explain-stored.ts'
export type { ShutdownOptions, WaitOptions } from './runtime/pool/job-pool.ts'
export type { PoolMetrics } from './runtime/pool/metrics.ts'
export type { JobPoolOptions } from './runtime/pool/options.ts'
export type { PoolHealth, PoolStatus, TimelineAttempt, TimelineEntry } from './runtime/pool/status.ts'
export type { ForkPoint } from './runtime/record/fork.ts'
export { isInterrupted } from './runtime/record/interrupted.ts'
export { verifyStore } from './runtime/record/verify.ts'
export { Orchestrator, type OrchestratorOptions } from './runtime/tree/orchestrator.ts'
export { openSqliteStore, type SqliteStoreOptions } from './sqlite-store.ts'
export type { Inspection } from './statechart/index.ts'
export { createMemoryStore } from './stores/memory.ts'
