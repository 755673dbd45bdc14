import { Option } from 'commander'
import { keepRule, parallelism } from './arguments.ts'

// What several commands have in common.

export const STORE = new Option(
  '--store <file>',
  'the file of the store (default: ESPALIER_STORE, or runs.db)',
)
export const VERIFY = new Option('--verify', 'check first that the journal folds to the stored state')
export const DOCUMENT = new Option('--json', 'print one JSON document')
export const DEBUG = new Option('--debug', 'show where an error comes from')

export const MAX_PARALLEL_JOBS = new Option(
  '--max-parallel-jobs <number>',
  "how many jobs may run at a time, or 'auto': what this machine allows (default: 3)",
).argParser(parallelism)

export const WORKFLOW = new Option(
  '--workflow <file>',
  'the module of the workflow (default: the one it was started from)',
)

const keeping = (status: string) =>
  new Option(
    `--keep-${status} <rule>`,
    `keep so many ${status} runs and jobs in the store, such as 1000, or so long, such as 7d (default: all)`,
  ).argParser(keepRule)

export const KEEP_COMPLETED = keeping('completed')
export const KEEP_FAILED = keeping('failed')
export const KEEP_CANCELLED = keeping('cancelled')

export const OUTCOME_DOCUMENT = new Option(
  '--json',
  'print the outcome as one JSON document, and no progress',
)

export const OUT = new Option(
  '--out <file>',
  'write the outcome here (default: results/<workflow>-<run id>.json)',
)

export const NO_COLOR = new Option('--no-color', 'use no colours (also: NO_COLOR=1)')
export const QUIET = new Option('--quiet', 'print only how the run ended')
