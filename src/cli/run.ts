import { resolve } from 'node:path'
import { RunPool } from '../compose.ts'
import {
  type ForkPoint,
  isEspalierError,
  type Logger,
  Orchestrator,
  type Resources,
  type RunOutcome,
  type RunStore,
  type Workflow,
} from '../index.ts'
import { readInput } from './arguments.ts'
import { type InspectOptions, inspectRun } from './inspect.ts'
import { Interruption } from './interruption.ts'
import { jsonDocument, toJson } from './json.ts'
import { loadWorkflow } from './load-workflow.ts'
import type { Output } from './output.ts'
import { type Progress, showLive, showPlain, silence } from './progress.ts'
import { prepareReport, writeReport } from './recordings.ts'
import { type Finished, reportLines, verdictLines } from './report.ts'
import { prepareResult, writeResult } from './result-file.ts'
import {
  findRun,
  type KeepOptions,
  openKept,
  resumeCommand,
  type StoreOptions,
  storeFile,
  withReader,
} from './store.ts'
import { type Asked, exactPoint, requireSame, requireWorkflow } from './stored-run.ts'
import { UsageError } from './usage-error.ts'

export interface RunOptions extends InspectOptions, KeepOptions {
  readonly input?: readonly string[]
  readonly maxParallelJobs?: number | 'auto'
  /** How much jobs may hold of each resource. */
  readonly limit?: Resources
  readonly json?: boolean
  readonly out?: string
  readonly runId?: string
  readonly executor?: string
  readonly quiet?: boolean
  /** Which past the run begins with. */
  readonly fork?: ForkPoint
  /** The file in which the run is kept; absent: nowhere. */
  readonly store?: string
}

/**
 * Runs a workflow, shows how it goes, and writes its outcome to a file.
 *
 * @returns The exit code.
 * @throws {UsageError | EspalierError} Before anything has started, for what the user has to correct; and what the
 * workflow's `root` throws.
 */
export async function run(path: string, options: RunOptions, output: Output): Promise<number> {
  return output.during(options.json, async () => {
    const workflow = await loadWorkflow(path)
    const input = await readInput(options.input ?? [])
    const hasInput = options.input !== undefined
    return runWorkflow(workflow, { ...options, input, hasInput, source: resolve(path) }, output)
  })
}

/**
 * Takes a stored run up again, with the workflow's module it was started from, or `--workflow`.
 *
 * @throws {UsageError | EspalierError} Before anything has started: `ESP_UNKNOWN_RUN`, what opening the store throws, and
 * what {@link run} throws.
 */
export async function resume(runId: string, options: ResumeOptions, output: Output): Promise<number> {
  return runStored(runId, options, { ...options, runId }, output)
}

/**
 * Runs a workflow from where a stored run was at an event, as a run of its own.
 *
 * @throws {UsageError | EspalierError} As {@link resume}; `ESP_INVALID_OPTION` for an event that the run does not have.
 */
export async function fork(runId: string, options: ForkOptions, output: Output): Promise<number> {
  const { at, ...rest } = options
  const point = at === undefined ? { runId } : { runId, at }
  return runStored(runId, options, { ...rest, fork: point }, output)
}

/** Runs the workflow of a stored run, as it is told. */
function runStored(
  runId: string,
  options: ResumeOptions,
  start: Omit<RunOptions, 'input'>,
  output: Output,
): Promise<number> {
  return output.during(options.json, async () => {
    const store = storeFile(options)
    const source = withReader(options, (reader) => options.workflow ?? sourceOf(reader, runId))
    const workflow = await (options.workflow === undefined ? loadStored(source, runId) : loadWorkflow(source))
    return runWorkflow(workflow, { ...start, store, input: undefined, source, stored: runId }, output)
  })
}

export type ForkOptions = Omit<RunOptions, 'input'> &
  StoreOptions & { readonly workflow?: string; readonly at?: number }

export type ResumeOptions = Omit<RunOptions, 'input' | 'runId'> &
  StoreOptions & { readonly workflow?: string }

function sourceOf(store: RunStore, runId: string): string {
  const { source } = findRun(store, runId)
  if (source !== undefined) return source
  throw new UsageError(
    `Run "${runId}" was started by a program, not from a module. Name its workflow with --workflow.`,
  )
}

/** Loads the module that a run was started from: who resumes the run has not named it. */
async function loadStored(source: string, runId: string): Promise<Workflow> {
  try {
    return await loadWorkflow(source)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    const advice = `Run "${runId}" was started from that module; name another with --workflow.`
    throw new UsageError(`${error.message} ${advice}`, { cause: error.cause })
  }
}

type Start = Omit<RunOptions, 'input'> &
  Asked & {
    readonly source: string
    /** A run that must be in the store, since the command goes on from it. */
    readonly stored?: string
  }

async function runWorkflow(workflow: Workflow, options: Start, output: Output): Promise<number> {
  if (options.report !== undefined) await prepareReport('--report', options.report)
  const asked = [options.runId, options.stored].filter((id) => id !== undefined)
  const store = openKept(options.store, options, asked)
  try {
    const start = store === undefined ? options : await meetStored(store, workflow, options, output)
    return await runIn(store, workflow, start, output)
  } finally {
    store?.close()
  }
}

/**
 * Compares what is asked for with what is in the store, which others may have changed since it was looked at; tells of a run
 * that is there already.
 *
 * @returns What to start, with the event that is forked at.
 */
async function meetStored(
  store: RunStore,
  workflow: Workflow,
  options: Start,
  output: Output,
): Promise<Start> {
  const { runId, stored, source } = options
  if (stored !== undefined) {
    const advice = 'Give the workflow that name again, or name the module of the run with --workflow.'
    requireWorkflow(findRun(store, stored), workflow, source, advice)
  }
  const start = options.fork === undefined ? options : { ...options, fork: exactPoint(store, options.fork) }
  const there = runId === undefined ? undefined : store.run(runId)
  if (there === undefined || (stored === runId && start.fork === undefined)) return start
  requireWorkflow(there, workflow, source, 'Choose another --run-id.')
  await requireSame(there, workflow, start)
  const how =
    there.status === 'running' ? 'has not ended: it goes on' : 'had ended: its outcome is told again'
  output.error(`Run "${runId}" is in the store already and ${how}.`)
  return start
}

async function runIn(
  store: RunStore | undefined,
  workflow: Workflow,
  options: Start,
  output: Output,
): Promise<number> {
  const { maxParallelJobs, limit: limits, runId, executor, fork, input, source } = options
  let progress = silence
  const logger = loggerFor((message) => progress.message(message))
  const given = {
    ...(maxParallelJobs && { maxParallelJobs }),
    ...(limits && { limits }),
    ...(store && { store }),
  }
  const pool = new RunPool({ logger, ...given })
  const orchestrator = new Orchestrator(workflow, {
    pool,
    input,
    source,
    ...(runId === undefined ? {} : { runId }),
    ...(executor === undefined ? {} : { executor }),
    ...(fork === undefined ? {} : { fork }),
  })
  const file = await resultFile(store, options, workflow, orchestrator.runId)

  const interrupted = Promise.withResolvers<void>()
  const interruption = new Interruption(() => {
    progress.cancelling()
    orchestrator.cancel()
    interrupted.resolve()
  })
  const title = `${workflow.name} ${orchestrator.runId}`
  const tell = (text: string) => output.error(text)
  const inspector = await inspectRun(pool, title, options, tell)
  try {
    progress = showProgress({ workflow, orchestrator, pool, startedAt: Date.now() }, options, output)
    const outcome = await orchestrator
      .run()
      .catch((error) => goneBy(error, orchestrator.runId, store, output))
      .finally(() => progress.stop())
    if (outcome === undefined) return interruption.exitCode ?? 1
    const timeline = pool.getTimeline()
    const finished = { workflow: workflow.name, outcome, timeline, metrics: pool.getMetrics() }
    await pool.shutdown()
    const written = file === undefined ? undefined : await write(outcome, file, output)
    let isWritten = file === undefined || written !== undefined
    show({ ...finished, file: written }, options, output)
    if (inspector !== undefined && options.report !== undefined) {
      isWritten = (await report(await inspector.recording(), options.report, output)) && isWritten
    }
    if (inspector?.isWatched) {
      tell('The page stays up while it is open; Ctrl-C ends it.')
      await Promise.race([inspector.unwatched(), interrupted.promise])
    }
    if (interruption.exitCode !== undefined) return interruption.exitCode
    return outcome.status === 'completed' && isWritten ? 0 : 1
  } finally {
    interruption.end()
    await inspector?.close()
    // Threads and processes that are left go with it.
    await pool.shutdown({ wait: false })
  }
}

/** Where the outcome goes: an outcome that is only told again has its file already. */
async function resultFile(
  store: RunStore | undefined,
  { out }: Start,
  { name }: Workflow,
  runId: string,
): Promise<string | undefined> {
  const isTold = (store?.run(runId)?.status ?? 'running') !== 'running'
  return isTold && out === undefined ? undefined : prepareResult(out, name, runId)
}

function showProgress(
  watched: Parameters<typeof showLive>[0],
  { json, quiet }: Pick<RunOptions, 'json' | 'quiet'>,
  output: Output,
): Progress {
  // What the run waits for is told all the same.
  if (json || quiet) return { ...silence, message: (text) => output.error(text) }
  return output.isLive ? showLive(watched, output) : showPlain(watched, output)
}

/** A run that its store refuses is no outcome: it stays in the store, and can go on. */
function goneBy(error: unknown, runId: string, store: RunStore | undefined, output: Output): undefined {
  if (store === undefined || !isEspalierError(error, 'ESP_STORE_REFUSED')) throw error
  output.error(error.message)
  if (store.run(runId) !== undefined) output.error(`Then go on with: ${resumeCommand(runId, store.name)}`)
}

/** @returns Whether it could be written. */
async function report(recording: Uint8Array, file: string, output: Output): Promise<boolean> {
  try {
    await writeReport(recording, file)
    output.error(`report: ${file}`)
    return true
  } catch (error) {
    output.error((error as Error).message)
    return false
  }
}

/** @returns The file; `undefined` when it could not be written. */
async function write(outcome: RunOutcome, file: string, output: Output): Promise<string | undefined> {
  try {
    return await writeResult(file, jsonDocument(toJson(outcome)))
  } catch (error) {
    output.error(`The result could not be written to ${file}: ${(error as Error).message}`)
    return undefined
  }
}

function show(finished: Finished, { json, quiet }: Pick<RunOptions, 'json' | 'quiet'>, output: Output): void {
  if (json) {
    output.document({ ...(toJson(finished.outcome) as object), file: finished.file })
    return
  }
  const { columns } = output
  if (quiet) {
    output.print(verdictLines(finished, columns))
    return
  }
  if (!output.isLive) output.print([[]])
  output.print(reportLines(finished, columns))
}

/** Warnings and errors of the runtime become part of what is shown. */
function loggerFor(tell: (message: string) => void): Logger {
  const say = (message: string, details?: unknown) =>
    tell(details instanceof Error ? `${message} ${details.message}` : message)
  return { debug: () => {}, info: () => {}, warn: say, error: say }
}
