import { writeFile } from 'node:fs/promises'
import { basename, dirname, relative, resolve } from 'node:path'
import { performance } from 'node:perf_hooks'
import type { Command } from 'commander'
import type { Workflow } from '../index.ts'
import {
  type CheckOptions,
  type CheckProgress,
  type CheckReport,
  checkSubject,
  DEFAULT_CHECKED_FAULTS,
  emitTest,
  FAULT_TYPES,
  type FaultType,
  type Story,
  tell,
  traceOf,
} from '../testing/index.ts'
import { positiveInteger, readInput, wholeNumber } from './arguments.ts'
import { writeCoverage } from './coverage.ts'
import { loadModule } from './load-workflow.ts'
import { DEBUG } from './options.ts'
import type { Output } from './output.ts'
import { prepareReport, writeTrace } from './recordings.ts'
import { clean, formatDuration, plural } from './text.ts'
import { UsageError } from './usage-error.ts'

/** The options of `espalier check` as commander gives them. */
interface CheckCommandOptions {
  readonly input?: readonly string[]
  readonly faults?: string
  readonly maxStates?: number
  readonly maxDepth?: number
  readonly seed?: number
  readonly runs?: number
  readonly maxParallelJobs?: number
  readonly maxRetries?: number
  readonly runHandlers?: boolean
  readonly json?: boolean
  readonly emitTest?: string
  readonly report?: string
  readonly coverage?: string
}

/** Adds `check` to the command line. */
export function addCheckCommand(program: Command, output: Output, onRun: (exitCode: number) => void): void {
  program
    .command('check')
    .description(
      'check a workflow: try every order of events, then many at random, and show what breaks a promise',
    )
    .argument('<workflow>', 'a module whose default export is a workflow, such as workflow.ts')
    .option('--faults <list>', 'what may go wrong, such as fail,timeout,cancel (the default)')
    .option('--max-states <number>', 'how many states to explore (default: 20,000)', positiveInteger)
    .option('--max-depth <number>', 'how many events may follow each other (default: 1,000)', positiveInteger)
    .option('--seed <number>', 'the seed of the first simulation (default: 1)', positiveInteger)
    .option('--runs <number>', 'how many simulations follow (default: 1,000)', wholeNumber)
    .option('--input <value...>', 'JSON, @file.json, or any number of key=value')
    .option('--max-parallel-jobs <number>', 'how many jobs may run at a time (default: 2)', positiveInteger)
    .option('--max-retries <number>', 'how often a failed job is tried again (default: 1)', wholeNumber)
    .option('--run-handlers', 'run the handlers themselves; they must be pure')
    .option('--emit-test <file>', 'write the run that breaks a promise as a Vitest file')
    .option(
      '--report <file>',
      'record the run that breaks a promise: ends in .html, .espalier (for inspect), .json, .csv, .jsonl or .mmd',
    )
    .option(
      '--coverage <folder>',
      'draw what was taken of the charts there, as SVG and Mermaid, and list what never was',
    )
    .option('--json', 'print the report as one JSON document, and no progress')
    .addOption(DEBUG)
    .addHelpText('after', '\nExit codes: 0 nothing was broken, 1 a promise was broken, 2 wrong use.')
    .action(async (workflow: string, options: CheckCommandOptions) => {
      onRun(await check(workflow, options, output))
    })
}

/** Between two lines of progress where nothing can be drawn again, in ms. */
const PROGRESS_MS = 3_000
/** Transitions never taken that are named. */
const MISSED_SHOWN = 12

/**
 * Checks a workflow: explores it, then simulates it at random, and tells of the first promise that was broken.
 *
 * @returns The exit code: 1 when a promise was broken.
 * @throws {UsageError | EspalierError} Before anything has started, for what the user has to correct.
 */
function check(path: string, options: CheckCommandOptions, output: Output): Promise<number> {
  return output.during(options.json, () => checkModule(path, options, output))
}

async function checkModule(path: string, options: CheckCommandOptions, output: Output): Promise<number> {
  if (options.report !== undefined) await prepareReport('--report', options.report)
  const { workflow, exports } = await loadModule(path)
  const exported = exports.check as CheckOptions | undefined
  const settings = await settingsOf(options, exported)
  const progress = options.json ? undefined : new ProgressLine(output)
  if (!options.json) output.raw(`${headLine(workflow, settings)}\n`)
  const startedAt = performance.now()
  const report = await checkSubject(workflow, {
    ...settings,
    ...(progress && { onProgress: (each) => progress.show(each) }),
  })
  progress?.end()
  const { counterexample } = report
  const { handlers, invariants } = settings
  const how = present({ handlers, invariants })
  const story = counterexample && (await tell(workflow, counterexample, how))
  const isShown = options.json || options.report !== undefined
  const trace = counterexample && isShown ? await traceOf(workflow, counterexample, how) : undefined
  if (options.json) output.document({ ...documentOf(workflow, report, story), trace })
  else output.raw(textOf(report, story, performance.now() - startedAt))
  if (options.coverage !== undefined) {
    await writeCoverage(report.coverage, options.coverage)
    if (!options.json) output.raw(`\nThe coverage of the charts is in ${options.coverage}.\n`)
  }
  await emit(path, options, report, story, exported !== undefined, output)
  if (options.report !== undefined && trace !== undefined) {
    await writeTrace(trace, `${workflow.name}: ${report.violation?.invariant}`, options.report)
    if (!options.json) output.raw(`\nThe run is recorded in ${options.report}.\n`)
  }
  return report.violation === undefined ? 0 : 1
}

async function settingsOf(
  given: CheckCommandOptions,
  exported: CheckOptions | undefined,
): Promise<CheckOptions> {
  const { maxParallelJobs, maxRetries, maxStates, maxDepth, seed, runs } = given
  const pool = { ...exported?.pool, ...present({ maxParallelJobs, maxRetries }) }
  const limits = { ...exported?.limits, ...present({ maxStates, maxDepth }) }
  const input = given.input === undefined ? exported?.input : await readInput(given.input)
  return {
    ...exported,
    pool,
    limits,
    ...present({ seed, runs }),
    input: input ?? {},
    ...(given.faults === undefined ? {} : { faults: faultsOf(given.faults) }),
    ...(given.runHandlers === true ? { handlers: 'run' as const } : {}),
  }
}

function faultsOf(text: string): FaultType[] {
  const names = text.split(',').filter((name) => name !== '')
  const unknown = names.find((name) => !(FAULT_TYPES as readonly string[]).includes(name))
  if (unknown === undefined) return names as FaultType[]
  throw new UsageError(
    `--faults names "${unknown}", but the faults are ${FAULT_TYPES.join(', ')}. Name some of these: --faults fail,cancel.`,
  )
}

function headLine({ name }: Workflow, { handlers, faults }: CheckOptions): string {
  const names = (faults ?? DEFAULT_CHECKED_FAULTS).map((fault) =>
    typeof fault === 'string' ? fault : fault.type,
  )
  const what = `  faults ${names.join(', ') || 'none'}`
  const note =
    handlers === undefined
      ? '\nNo handler is run: each returns undefined. Export `check` from the workflow’s module to say what they return,' +
        ' or use --run-handlers when they are pure.'
      : ''
  return `checking ${name}${what}${note}`
}

function textOf(report: CheckReport, story: Story | undefined, ms: number): string {
  const { explored, simulated, violation } = report
  const { states, transitions, depth, ends, cutBy } = explored
  const reach = cutBy === undefined ? 'all there are' : `cut by ${cutBy}`
  const lines = [
    `explored   ${number(states)} states, ${number(transitions)} transitions, depth ${depth}, ${number(ends)} ends: ${violation && simulated === undefined ? 'stopped at the first broken promise' : reach}`,
    ...(simulated === undefined
      ? []
      : [
          `simulated  ${number(simulated.runs)} runs from seed ${simulated.seed}, ${number(simulated.attempts)} attempts`,
        ]),
    ...coverageLines(report),
    ...failureLines(report),
  ]
  if (violation === undefined || story === undefined) {
    return `${[...lines, '', `✓ no promise was broken, after ${formatDuration(ms)}`].join('\n')}\n`
  }
  const verdict = `✗ ${violation.invariant} was broken, after ${formatDuration(ms)}`
  return `${lines.join('\n')}\n\n${verdict}\n\n${story.text}\n\`\`\`mermaid\n${story.mermaid}\`\`\`\n`
}

function coverageLines({ coverage }: CheckReport): string[] {
  const machines = coverage.report()
  const shares = machines.map(({ machine, taken, transitions }) => `${machine} ${taken}/${transitions}`)
  const missed = machines.flatMap(({ missed }) => missed.map(({ id }) => id))
  const shown = missed.slice(0, MISSED_SHOWN)
  const rest = missed.length > shown.length ? `, and ${missed.length - shown.length} more` : ''
  return [
    `covered    ${shares.join(' · ')} transitions`,
    ...(missed.length === 0 ? [] : [`           never taken: ${shown.join(', ')}${rest}`]),
  ]
}

/** Where `expand` failed: a run ends well without its answer, but what that should have grown was never tried. */
function failureLines({ failedDecisions }: CheckReport): string[] {
  const [first] = failedDecisions.values()
  if (first === undefined) return []
  return [`undecided  ${plural(failedDecisions.size, 'node')}: ${clean(first.message)}`]
}

function documentOf({ name }: Workflow, report: CheckReport, story: Story | undefined): object {
  const { explored, simulated, violation, counterexample, coverage, failedDecisions } = report
  const { states, transitions, depth, ends, cutBy } = explored
  return {
    workflow: name,
    holds: violation === undefined,
    explored: { states, transitions, depth, ends, cutBy },
    simulated,
    coverage: coverage
      .report()
      .map(({ missed, ...rest }) => ({ ...rest, missed: missed.map(({ id }) => id) })),
    failedDecisions: Array.from(failedDecisions, ([nodeId, { message }]) => ({ nodeId, message })),
    violation,
    counterexample,
    ...(story && { story: story.text, mermaid: story.mermaid }),
  }
}

async function emit(
  path: string,
  { emitTest: file, json }: CheckCommandOptions,
  { counterexample }: CheckReport,
  story: Story | undefined,
  hasCheck: boolean,
  output: Output,
): Promise<void> {
  if (file === undefined || counterexample === undefined || story === undefined) return
  const from = relative(dirname(resolve(file)), resolve(path)).replaceAll('\\', '/')
  const workflow = from.startsWith('.') ? from : `./${from}`
  const text = emitTest({ counterexample, workflow, hasCheck, story: story.text })
  try {
    await writeFile(file, text, { flag: 'wx' })
  } catch (error) {
    throw new UsageError(`The test cannot be written to ${file}: ${(error as Error).message}`)
  }
  if (!json) output.raw(`\nA test of this run is in ${basename(file) === file ? `./${file}` : file}.\n`)
}

/** How far the search is: drawn in place on a terminal, elsewhere a line now and then. */
class ProgressLine {
  readonly #output: Output
  #shownAt = performance.now()
  #isDrawn = false

  constructor(output: Output) {
    this.#output = output
  }

  show(progress: CheckProgress): void {
    const { isLive } = this.#output
    const now = performance.now()
    if (now - this.#shownAt < (isLive ? 100 : PROGRESS_MS)) return
    this.#shownAt = now
    const text = progressText(progress)
    if (isLive) this.#output.raw(`\r\u001b[K${text}`)
    else this.#output.error(text)
    this.#isDrawn = isLive
  }

  end(): void {
    if (this.#isDrawn) this.#output.raw('\r\u001b[K')
  }
}

function progressText(progress: CheckProgress): string {
  if (progress.phase === 'simulate')
    return `… simulated ${number(progress.runs)} runs, ${number(progress.attempts)} attempts`
  const { states, transitions, depth, open } = progress
  return `… explored ${number(states)} states, ${number(transitions)} transitions, depth ${depth}, ${number(open)} open`
}

const number = (value: number): string => value.toLocaleString('en')

/** The fields that are given. */
function present<Fields extends object>(
  fields: Fields,
): { [Name in keyof Fields]?: NonNullable<Fields[Name]> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never
}
