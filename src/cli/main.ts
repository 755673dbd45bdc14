import { readFileSync } from 'node:fs'
import process from 'node:process'
import { type AddHelpTextContext, Command, CommanderError } from 'commander'
import { isEspalierError } from '../index.ts'
import { portNumber, positiveInteger, runIdentifier } from './arguments.ts'
import { addCheckCommand } from './check.ts'
import type { InspectOptions } from './inspect.ts'
import {
  addOptions,
  DOCUMENT,
  GOING_ON,
  KEEP,
  OUT,
  OUTCOME_DOCUMENT,
  POOL,
  SHOWING,
  STORE,
  VERIFY,
  WATCHING,
} from './options.ts'
import { Output } from './output.ts'
import { inspectRecording, reportRecording } from './recordings.ts'
import { fork, resume, run } from './run.ts'
import { type LookOptions, listRuns, type ShowOptions, showRun } from './runs.ts'
import { withSuggestion } from './suggestion.ts'
import { clean } from './text.ts'
import { cancelRun, type PruneOptions, prune } from './upkeep.ts'
import { UsageError } from './usage-error.ts'
import { why } from './why.ts'

const USAGE_EXIT_CODE = 2
const RUN_EXIT_CODES = '\nExit codes: 0 completed, 1 failed or cancelled, 2 wrong use, 130 after Ctrl-C.'
const ERROR_LENGTH_MAX = 4_000
const RECORDING =
  'a file that `espalier run … --report <name>.espalier` or the page has written, or the id of a stored run'
const STANDSTILL =
  'The run stands still: nothing is left to wait for, but it has not ended. Look for a promise that never settles, in the workflow or at the top level of its module.'

const output = new Output()
process.once('beforeExit', () => {
  // Told when the live view, which listens too, has gone.
  process.once('exit', () => output.error(STANDSTILL))
  process.exit(1)
})
const exitCode = await main()
// Outside Linux, pipes are written to behind the program's back.
await output.flush()
if (output.fault !== undefined) output.error(`Stdout could not be written: ${output.fault.message}.`)
// Whatever the workflow has left open does not keep the command from ending.
process.exit(exitCode === 0 && output.fault !== undefined ? 1 : exitCode)

async function main(): Promise<number> {
  let code = 0
  const program = createProgram((ran) => {
    code = ran
  })
  try {
    await program.parseAsync()
    return code
  } catch (error) {
    return explain(error)
  }
}

function createProgram(onRun: (exitCode: number) => void): Command {
  /** A command that grows a tree, and shows how. */
  const colored =
    <Options extends object>(
      command: (subject: string, options: Options, output: Output) => Promise<number>,
    ) =>
    async (subject: string, { color, ...options }: Options & { readonly color: boolean }) => {
      output.wantsColors = color
      onRun(await command(subject, options as unknown as Options, output))
    }
  const program = new Command('espalier')
    .description('Grows job trees under control: runs a workflow and shows how its tree grows.')
    .version(packageVersion(), '--version', 'tell the version')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => output.raw(text),
      writeErr: (text) => output.error(text.trimEnd()),
      outputError: (text, write) => write(withSuggestion(text, program, process.argv[2])),
    })
    .showHelpAfterError('Use --help to see what is possible.')
    // By itself, commander answers for a command that there is not as if none had been named.
    .on('beforeAllHelp', ({ command }: AddHelpTextContext) => {
      const [first, second] = program.args
      const asked = first === 'help' ? second : first
      if (command === program && asked !== undefined && !asked.startsWith('-') && asked !== 'help')
        program.error(`error: unknown command '${asked}'`)
    })

  const runCommand = program
    .command('run')
    .description('run a workflow to its end')
    .argument('<workflow>', 'a module whose default export is a workflow, such as workflow.ts')
    .option('--input <value...>', 'JSON, @file.json, or any number of key=value')
  addOptions(runCommand, POOL)
    .option(
      '--executor <name>',
      "how jobs run, instead of the workflow's own: async, thread, process, command or machine",
    )
    .addOption(OUTCOME_DOCUMENT)
    .addOption(OUT)
    .option('--run-id <id>', 'name the run (default: a fresh id)', runIdentifier)
    .option('--store <file>', 'keep the run here, so that it can be resumed')
  addOptions(runCommand, [...KEEP, ...WATCHING, ...SHOWING])
    .addHelpText('after', RUN_EXIT_CODES)
    .action(colored(run))

  const resumeCommand = program
    .command('resume')
    .description('take a stored run up again where its process ended')
    .argument('<run>', 'the id of the run')
  addOptions(resumeCommand, [...GOING_ON, OUTCOME_DOCUMENT, OUT, ...WATCHING, ...SHOWING])
    .addHelpText('after', RUN_EXIT_CODES)
    .action(colored(resume))

  const forkCommand = program
    .command('fork')
    .description('run a workflow again from where a stored run was at an event, under changed code or limits')
    .argument('<run>', 'the id of the run')
    .option(
      '--at <event>',
      'the last event that counts, see show --events (default: its last)',
      positiveInteger,
    )
    .option('--run-id <id>', 'name the new run (default: a fresh id)', runIdentifier)
  addOptions(forkCommand, GOING_ON).option('--executor <name>', 'how jobs run (default: as in the other run)')
  addOptions(forkCommand, [OUTCOME_DOCUMENT, OUT, ...WATCHING, ...SHOWING])
    .addHelpText('after', RUN_EXIT_CODES)
    .action(colored(fork))

  program
    .command('runs')
    .description('list the runs of a store, newest first')
    .addOption(STORE)
    .addOption(DOCUMENT)
    .action((options: LookOptions) => onRun(listRuns(options, output)))

  program
    .command('show')
    .description('show a stored run, its nodes and the size of its store')
    .argument('<run>', 'the id of the run')
    .addOption(STORE)
    .addOption(VERIFY)
    .option('--events', 'show its journal instead: each event with its number')
    .addOption(DOCUMENT)
    .action((runId: string, options: ShowOptions) => onRun(showRun(runId, options, output)))

  program
    .command('inspect')
    .description('show a recorded run in the browser, or the one that espalier check --json found')
    .argument('<recording>', RECORDING)
    .addOption(STORE)
    .option('--inspect-port <number>', 'the port of the page (default: any free one)', portNumber)
    .option('--open', 'open the page in the browser')
    .action(async (recording: string, options: InspectOptions & LookOptions) =>
      onRun(await inspectRecording(recording, options, output)),
    )

  program
    .command('report')
    .description('write a recorded run as a page that opens from disk, or in another format')
    .argument('<recording>', RECORDING)
    .addOption(STORE)
    .requiredOption('-o, --out <file>', 'ends in .html, .json (for Perfetto), .csv, .jsonl or .mmd (Mermaid)')
    .action(async (recording: string, options: LookOptions & { readonly out: string }) =>
      onRun(await reportRecording(recording, options, output)),
    )

  program
    .command('why')
    .description('tell why a stored job is where it is')
    .argument('<job>', 'the id of the job, such as r1.n3')
    .addOption(STORE)
    .addOption(DOCUMENT)
    .action((jobId: string, options: LookOptions) => onRun(why(jobId, options, output)))

  program
    .command('cancel')
    .description('cancel a stored run that no process works on')
    .argument('<run>', 'the id of the run')
    .addOption(STORE)
    .addOption(DOCUMENT)
    .action(async (runId: string, options: LookOptions) => onRun(await cancelRun(runId, options, output)))

  addOptions(program.command('prune'), [STORE, ...KEEP, DOCUMENT])
    .description('let go of ended runs and jobs of a store, and give the room back')
    .action((options: PruneOptions) => onRun(prune(options, output)))
  addCheckCommand(program, output, onRun)
  return program
}

/** Tells an error in one message; with `--debug`, also where it comes from. */
function explain(error: unknown): number {
  // commander has told its own errors already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE_EXIT_CODE
  const message = clean(error instanceof Error ? error.message : error, ERROR_LENGTH_MAX)
  const isWrongUse = error instanceof UsageError || isEspalierError(error)
  output.error(isWrongUse ? message : `The workflow could not start: ${message}`)
  if (process.argv.includes('--debug') && error instanceof Error) {
    const { stack } = error.cause instanceof Error ? error.cause : error
    output.error(stack ?? 'There is no stack.')
  }
  return isWrongUse ? USAGE_EXIT_CODE : 1
}

/** Found by the package's own name: the sources and the build are at different depths. */
function packageVersion(): string {
  const manifest = JSON.parse(readFileSync(new URL(import.meta.resolve('espalier/package.json')), 'utf8'))
  return (manifest as { readonly version: string }).version
}
