import { JobPool, type Logger, Orchestrator, type RunOutcome, type Workflow } from '../index.ts'
import { readInput } from './arguments.ts'
import { type InspectOptions, serveInspector } from './inspect.ts'
import { Interruption } from './interruption.ts'
import { toJson } from './json.ts'
import { loadWorkflow } from './load-workflow.ts'
import type { Output } from './output.ts'
import { type Progress, showLive, showPlain, silence } from './progress.ts'
import { type Finished, reportLines, verdictLines } from './report.ts'
import { prepareResult, writeResult } from './result-file.ts'

export interface RunOptions extends InspectOptions {
  readonly input?: readonly string[]
  readonly maxParallelJobs?: number
  readonly json?: boolean
  readonly out?: string
  readonly runId?: string
  readonly executor?: string
  readonly quiet?: boolean
}

/**
 * Runs a workflow, shows how it goes, and writes its outcome to a file.
 *
 * @returns The exit code.
 * @throws {UsageError | EspalierError} Before anything has started, for what the user has to correct; and what the
 * workflow's `root` throws.
 */
export async function run(path: string, options: RunOptions, output: Output): Promise<number> {
  // One document is promised on stdout: what the workflow itself prints goes to stderr.
  const giveBack = options.json ? output.divertToStderr() : () => {}
  try {
    const workflow = await loadWorkflow(path)
    return await runWorkflow(workflow, options, output)
  } finally {
    giveBack()
  }
}

async function runWorkflow(workflow: Workflow, options: RunOptions, output: Output): Promise<number> {
  const { maxParallelJobs, runId, executor } = options
  const input = await readInput(options.input ?? [])
  let progress = silence
  const logger = loggerFor((message) => progress.message(message))
  const pool = new JobPool({ logger, ...(maxParallelJobs === undefined ? {} : { maxParallelJobs }) })
  const orchestrator = new Orchestrator(workflow, {
    pool,
    input,
    ...(runId === undefined ? {} : { runId }),
    ...(executor === undefined ? {} : { executor }),
  })
  const file = await prepareResult(options.out, workflow.name, orchestrator.runId)

  const interrupted = Promise.withResolvers<void>()
  const interruption = new Interruption(() => {
    progress.cancelling()
    orchestrator.cancel()
    interrupted.resolve()
  })
  const isInspected = options.inspect || options.open || options.inspectPort !== undefined
  const title = `${workflow.name} ${orchestrator.runId}`
  const tell = (text: string) => output.error(text)
  const inspector = isInspected ? await serveInspector(pool, title, options, tell) : undefined
  try {
    progress = showProgress({ workflow, orchestrator, pool, startedAt: Date.now() }, options, output)
    const outcome = await orchestrator.run().finally(() => progress.stop())
    const timeline = pool.getTimeline()
    const finished = { workflow: workflow.name, outcome, timeline, metrics: pool.getMetrics() }
    const written = await write(outcome, file, output)
    show({ ...finished, file: written }, options, output)
    if (inspector?.isWatched) {
      tell('The page stays up while it is open; Ctrl-C ends it.')
      await Promise.race([inspector.unwatched(), interrupted.promise])
    }
    if (interruption.exitCode !== undefined) return interruption.exitCode
    return outcome.status === 'completed' && written !== undefined ? 0 : 1
  } finally {
    interruption.end()
    await inspector?.close()
    // Threads and processes that are left go with it.
    await pool.shutdown({ wait: false })
  }
}

function showProgress(
  watched: Parameters<typeof showLive>[0],
  { json, quiet }: RunOptions,
  output: Output,
): Progress {
  if (json || quiet) return silence
  return output.isLive ? showLive(watched, output) : showPlain(watched, output)
}

/** @returns The file; `undefined` when it could not be written. */
async function write(outcome: RunOutcome, file: string, output: Output): Promise<string | undefined> {
  try {
    return await writeResult(file, `${JSON.stringify(toJson(outcome), undefined, 2)}\n`)
  } catch (error) {
    output.error(`The result could not be written to ${file}: ${(error as Error).message}`)
    return undefined
  }
}

function show(finished: Finished, { json, quiet }: RunOptions, output: Output): void {
  if (json) {
    const document = { ...(toJson(finished.outcome) as object), file: finished.file }
    output.raw(`${JSON.stringify(document, undefined, 2)}\n`)
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
