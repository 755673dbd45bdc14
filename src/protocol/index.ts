export { decodeBlock, encodeBlock } from './block.ts'
export { DecodeError } from './bytes.ts'
export {
  type Box,
  type Chart,
  type ChartEdge,
  type ChartLayout,
  type ChartNode,
  type MachineDocument,
  stateLines,
} from './chart.ts'
export { type ChartMarks, chartSvg } from './chart-svg.ts'
export { chromeTrace, eventsJsonl, jobsCsv, type Recorded, treeMermaid } from './exports.ts'
export type { Growable, GrowingColumns } from './growable.ts'
export {
  type Block,
  CANCEL_SOURCES,
  type ColumnName,
  type Columns,
  type ColumnTable,
  type ColumnType,
  DECISION_TYPES,
  EVENT_CODES,
  EVENTS,
  type EventName,
  type EventSubject,
  JOB_STATES,
  LOG_STREAMS,
  NODE_STATES,
  POOL_STATES,
  RUN_REASONS,
  RUN_STATES,
  rowsOf,
  TABLES,
  type TableName,
} from './journal.ts'
export { JournalWriter, type Row } from './journal-writer.ts'
export {
  type ActorDetail,
  type CappedValue,
  type Command,
  type CommandResult,
  type CommandType,
  type ErrorBody,
  type FeedStatus,
  type JobDetail,
  type JobFilter,
  type JobPage,
  type JobSelection,
  type JobSummary,
  MESSAGES_IN_FLIGHT,
  type MissingHistory,
  PAGE_MESSAGE_BYTES_MAX,
  type PageMessage,
  PROTOCOL_VERSION,
  type RunSummary,
  type ServerMessage,
  type SkippedJobs,
  type WaitReason,
} from './messages.ts'
export { ATTEMPT_ENDS, RunModel, transitionKey } from './model.ts'
export { decodeRecording, encodeRecording, type Recording, type RecordingHeader } from './recording.ts'
export { EXPORT_FORMATS, type ExportFormat, ROUTES, type Route, type RouteName } from './routes.ts'
