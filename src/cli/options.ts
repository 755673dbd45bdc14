import { type Command, Option } from 'commander'
import { keepRule, parallelism, portNumber, resourceLimit } from './arguments.ts'

// What several commands have in common.

export const STORE = new Option(
  '--store <file>',
  'the file of the store (default: ESPALIER_STORE, or runs.db)',
)
export const VERIFY = new Option('--verify', 'check first that the journal folds to the stored state')
export const DOCUMENT = new Option('--json', 'print one JSON document')
export const DEBUG = new Option('--debug', 'show where an error comes from')

const MAX_PARALLEL_JOBS = new Option(
  '--max-parallel-jobs <number>',
  "how many jobs may run at a time, or 'auto': what this machine allows (default: 3)",
).argParser(parallelism)

const LIMIT = new Option(
  '--limit <name=amount>',
  'how much jobs may hold of a resource at a time, such as gpu=1; once for each',
).argParser(resourceLimit)

/** The pool that a run gets. */
export const POOL = [MAX_PARALLEL_JOBS, LIMIT]

const WORKFLOW = new Option(
  '--workflow <file>',
  'the module of the workflow (default: the one it was started from)',
)

const keeping = (status: string) =>
  new Option(
    `--keep-${status} <rule>`,
    `keep so many ${status} runs and jobs in the store, such as 1000, or so long, such as 7d (default: all)`,
  ).argParser(keepRule)

/** What to let go of while a run goes on. */
export const KEEP = ['completed', 'failed', 'cancelled'].map(keeping)

export const OUTCOME_DOCUMENT = new Option(
  '--json',
  'print the outcome as one JSON document, and no progress',
)

export const OUT = new Option(
  '--out <file>',
  'write the outcome here (default: results/<workflow>-<run id>.json)',
)

const NO_COLOR = new Option('--no-color', 'use no colours (also: NO_COLOR=1)')
const QUIET = new Option('--quiet', 'print only how the run ended')

/** How a command goes on with a run of the store. */
export const GOING_ON = [STORE, VERIFY, WORKFLOW, ...POOL, ...KEEP]

/** How a command that grows a tree lets others watch. */
export const WATCHING = [
  new Option('--inspect', 'serve a page that shows the run, and tell its address'),
  new Option('--inspect-port <number>', 'the port of that page (default: any free one)').argParser(
    portNumber,
  ),
  new Option('--open', 'open that page in the browser'),
  new Option('--report <file>', 'write a page (.html), or the recording in another format, after the run'),
]

/** How a command that grows a tree shows it. */
export const SHOWING = [NO_COLOR, QUIET, DEBUG]

export function addOptions(command: Command, options: readonly Option[]): Command {
  for (const option of options) command.addOption(option)
  return command
}
