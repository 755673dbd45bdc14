import { shellWord } from './shell-word.ts'
import { nearestName } from './suggest.ts'

/**
 * The one table of everything espalier refuses or reports: code → what the text says.
 *
 * Each text tells what was expected, what came, and what to do.
 */
const ERRORS = {
  ESP_INVALID_OPTION: (o: { option: string; expected: string; got: unknown; todo?: string }) =>
    `Option "${o.option}" must be ${o.expected}, but is ${show(o.got)}. ${o.todo ?? 'Correct the option and try again.'}`,
  ESP_UNKNOWN_OPTION: (o: { of: string; option: string; known: readonly string[] }) =>
    `There is no "${o.option}" among the options of ${o.of} (${list(o.known)}). ` +
    `${meant(o.option, o.known)}Correct the name or leave it out.`,
  ESP_UNKNOWN_PRIORITY: (o: { jobId: string; got: unknown }) =>
    `Job "${o.jobId}" has priority ${show(o.got)}. Use 'critical', 'high', 'normal' or 'low'.`,
  ESP_MISSING_HANDLER: (o: { jobId: string; executor: string; expected: string; got: unknown }) =>
    `Job "${o.jobId}" cannot run: the ${o.executor} executor expects ${o.expected} as \`execute\`, but got ${show(o.got)}. ` +
    (typeof o.got === 'function' && !o.expected.includes('a function')
      ? 'A function cannot leave its process: export it from a module, and pass ' +
        '`{ module: import.meta.url, export: "name" }` from there.'
      : `${takenElsewhere(o.got, o.expected)}Pass ${o.expected}.`),
  ESP_UNSUPPORTED: (o: { jobId: string; executor: string; field: string }) =>
    `Job "${o.jobId}" asks for \`${o.field}\`, which the ${o.executor} executor does not support. ` +
    'Leave it out, or choose another executor.',
  ESP_UNKNOWN_HANDLER: (o: { of: string; handler: string; known: readonly string[]; openJob?: string }) =>
    (o.openJob === undefined ? '' : `Job "${o.openJob}" of the store has not ended. `) +
    `Handler "${o.handler}" is not one of ${o.of}'s handlers (${list(o.known)}). ` +
    `${meant(o.handler, o.known)}Add it to \`handlers\` or correct the name.` +
    (/\s/.test(o.handler) ? ' A program is written as `{ command, args }`; no shell reads a line.' : ''),
  ESP_UNKNOWN_EXECUTOR: (o: { executor: string; known: readonly string[] }) =>
    `Executor "${o.executor}" is not known to this pool (${list(o.known)}). ` +
    `${meant(o.executor, o.known)}Name one of these, or pass the executor itself as \`executorType\` or in \`executors\`.`,
  ESP_DUPLICATE_JOB: (o: { jobId: string }) =>
    `A job "${o.jobId}" was already submitted. Choose another id, leave \`id\` out to get a fresh one, ` +
    'or use `dedupeKey` to share one job between submitters.',
  ESP_DEPENDENCY_UNKNOWN: (o: { jobId: string; dependency: string }) =>
    `Job "${o.jobId}" depends on "${o.dependency}", which was never submitted. ` +
    'Submit it first, or together in one submitJobs([...]).',
  ESP_DEPENDENCY_SELF: (o: { jobId: string }) =>
    `Job "${o.jobId}" depends on itself (${o.jobId} → ${o.jobId}). Remove it from its own dependencies.`,
  ESP_DEPENDENCY_CYCLE: (o: { path: readonly string[] }) =>
    `The dependencies form a cycle: ${showPath(o.path)}. Remove one of these dependencies.`,
  ESP_UNKNOWN_JOB: (o: { jobId: string }) =>
    `No job "${o.jobId}" is known here. It was never accepted, or \`keep\` has let it go. ` +
    'A run names its jobs by itself and their node, such as "night.n4".',
  ESP_POOL_CLOSED: (o: { state: string }) =>
    `The pool is ${o.state} and accepts no new jobs. Submit before shutdown(), or make a new JobPool.`,
  ESP_WAIT_TIMEOUT: (o: { what: string; timeoutMs: number }) =>
    `${o.what} did not end within ${o.timeoutMs} ms. It goes on; wait longer, or cancel it.`,
  ESP_JOB_CANCELLED: (o: { jobId: string; reason: string }) => `Job "${o.jobId}" was cancelled: ${o.reason}.`,
  ESP_ATTEMPT_TIMEOUT: (o: { jobId: string; attempt: number; timeoutMs: number }) =>
    `Attempt ${o.attempt} of job "${o.jobId}" did not end within ${o.timeoutMs} ms. ` +
    'Raise `timeoutMs`, or make the handler faster.',
  ESP_ATTEMPT_LOST: (o: { jobId: string; attempt: number; how: string }) =>
    `Attempt ${o.attempt} of job "${o.jobId}" was lost: ${o.how}. It is tried again, \`maxLost\` times at most.`,
  ESP_MEMORY_LIMIT: (o: { jobId: string; attempt: number; limitBytes: number; seenBytes: number }) =>
    `Attempt ${o.attempt} of job "${o.jobId}" was ended: it took ${o.seenBytes} bytes of memory, and may take ` +
    `${o.limitBytes}. Raise \`memoryLimitBytes\`, or let it take less.`,
  ESP_RESOURCES_EXCEEDED: (o: { jobId: string; resource: string; demanded: number; available: number }) =>
    `Job "${o.jobId}" wants ${o.demanded} of \`${o.resource}\`, but the pool has ${o.available} in all: it could never ` +
    'start. Want less, or raise `limits`.',
  ESP_UNUSABLE_MODULE: (o: { jobId: string; module: string; problem: string }) =>
    `Job "${o.jobId}" cannot run: module ${o.module} ${o.problem}. Correct \`execute\`, or the module.`,
  ESP_BUNDLED: (o: { file: string }) =>
    `No thread or process can be started: espalier's file ${o.file} is not where it was installed. A bundler has most likely ` +
    'put espalier into one file with the program. Leave it out of the bundle: mark `espalier` as external, and install it ' +
    'where the bundle runs.',
  ESP_CANNOT_CARRY: (o: { jobId: string; what: string; carrier: string; path: string; found: string }) =>
    `Job "${o.jobId}": ${o.what} cannot travel as ${o.carrier}: ${o.path} is ${o.found}. Pass plain data, or choose ` +
    'another executor.',
  ESP_COMMAND_NOT_STARTED: (o: {
    jobId: string
    command: string
    code: string
    missingCwd?: string
    fileCwd?: string
    found?: string
    interpreter?: string | undefined
    originalMessage: string
  }) => `Command ${show(o.command)} of job "${o.jobId}" could not be started: ${o.code}. ${startAdvice(o)}`,
  ESP_COMMAND_FAILED: (o: {
    jobId: string
    command: string
    exitCode: number | undefined
    signal: string | undefined
    stdout: string
    stderr: string
  }) =>
    `Command ${show(o.command)} of job "${o.jobId}" ended by ` +
    (o.exitCode === undefined ? `signal ${o.signal}` : `exit code ${o.exitCode}`) +
    `; the end of its stderr: ${show(o.stderr.trimEnd().slice(-100))}. Read \`details\` for all it wrote; list the code in ` +
    '`okExitCodes` when it means success.',
  ESP_COMMAND_RESULT: (o: { jobId: string; command: string; expected: string; got: string }) =>
    `Command ${show(o.command)} of job "${o.jobId}" was to leave ${o.expected}, but ${o.got}. Correct the command or its ` +
    '`result`.',
  ESP_CALLBACK_TIMEOUT: (o: { jobId: string; timeoutMs: number }) =>
    `The callback of job "${o.jobId}" did not end within ${o.timeoutMs} ms. Its job is not affected; ` +
    'raise `callbackTimeoutMs` or make the callback faster.',
  ESP_INVALID_WORKFLOW: (o: { expected: string; got: unknown }) =>
    `A workflow must have ${o.expected}, but got ${show(o.got)}. Write it with defineWorkflow({ name, handlers, root }).`,
  ESP_INVALID_INPUT: (o: { workflow: string; issues: readonly string[] }) =>
    `The input of workflow "${o.workflow}" is not valid: ${o.issues.join('; ')}. Correct it and run again.`,
  ESP_INVALID_DECISION: (o: { nodeId: string; expected: string; got: unknown }) =>
    `expand answered ${show(o.got)} for node "${o.nodeId}", but ${o.expected} was expected. ` +
    'Answer with grow(), stop(), revise(), prune() or satisfy(), or nothing for stop().',
  ESP_EXPAND_FAILED: (o: { nodeId: string; message: string }) =>
    `expand threw for node "${o.nodeId}": ${o.message}. The branch stops here; the run goes on.`,
  ESP_EXPAND_TIMEOUT: (o: { nodeId: string; timeoutMs: number }) =>
    `expand did not answer for node "${o.nodeId}" within ${o.timeoutMs} ms. The branch stops here; ` +
    'raise `limits.expandTimeoutMs`, or make it faster.',
  ESP_RUN_STARTED: (o: { runId: string }) =>
    `Run "${o.runId}" was already started. An orchestrator runs once; make a new one for another run.`,
  ESP_RUN_ACTIVE: (o: { runId: string }) =>
    `Run "${o.runId}" is going on in this pool. Wait for its end, or choose another \`runId\`.`,
  ESP_NOT_STORABLE: (o: { what: string; place: string; got: unknown }) =>
    `${o.what} must be JSON to be stored, but ${o.place} is ${show(o.got)}. ` +
    'Use plain objects, arrays, strings, finite numbers, booleans and null.',
  ESP_NOT_DURABLE: (o: { jobId: string; got: unknown }) =>
    `Job "${o.jobId}" cannot be stored: a durable job names what it runs, but got ${show(o.got)}. ` +
    "Name one of the pool's `handlers`, or pass { module, export } or { command, args }.",
  ESP_VALUE_TOO_LARGE: (o: { jobId: string; length: number; longest: number }) =>
    `The value of job "${o.jobId}" is ${o.length} characters of JSON, but a store takes ${o.longest} at most. ` +
    'Write it to a file, and return its path.',
  ESP_UNKNOWN_RUN: (o: { runId: string; store: string }) =>
    `No run "${o.runId}" is in the store ${o.store}. \`espalier runs --store ${shellWord(o.store)}\` lists those that are.`,
  ESP_STORE_OWNED: (o: { store: string; pid: number; host: string; since: string }) =>
    `The store ${o.store} is owned by process ${o.pid} on ${o.host} since ${o.since}. ` +
    'Wait until that process ends, end it, or use another store.',
  ESP_STORE_MISSING: (o: { store: string }) =>
    `There is no store ${o.store}, but one was expected. Check the path; a run makes it with \`--store\`.`,
  ESP_STORE_EMPTY: (o: { store: string }) =>
    `The store ${o.store} is an empty file, but a database was expected: what it held is lost. ` +
    'Restore it from a backup, or remove it to begin anew.',
  ESP_STORE_FOREIGN: (o: { store: string; what: string }) =>
    `${o.store} is ${o.what}, but a store of espalier was expected. Name another file; where it was a store, restore it ` +
    'from a backup.',
  ESP_STORE_NEWER: (o: { store: string; known: number; got: number }) =>
    `The store ${o.store} has schema ${o.got}, but this version of espalier knows ${o.known} at most. ` +
    'Use the newer espalier that wrote it.',
  ESP_STORE_SCHEMA: (o: { store: string; version: number; fault: string }) =>
    `The store ${o.store} says that it has schema ${o.version}, but has other tables: ${o.fault}. Use the espalier that made it, ` +
    'such as one from before a release, or name another file; where another program has changed it, restore it from a backup.',
  ESP_STORE_LOG_MISSING: (o: { store: string }) =>
    `The store ${o.store} was in use when its log ${o.store}-wal was lost, but both are needed: what is left may be incomplete. ` +
    'Put the log back beside it, or restore a backup made with VACUUM INTO. If it was another SQLite tool that closed it after a ' +
    'crash, all is there: have that tool DELETE FROM owner.',
  ESP_STORE_CORRUPT: (o: { store: string; message: string }) =>
    `The store ${o.store} is damaged, but a sound database was expected: ${o.message}. Restore it from a backup.`,
  ESP_STORE_ROW_CORRUPT: (o: { field: string; row: string; id: string | number; message: string }) =>
    `The \`${o.field}\` of the ${o.row} "${o.id}" is damaged in its store, but JSON of its kind was expected: ${o.message}. ` +
    'Keep the file, and restore it from a backup.',
  ESP_STORE_SQLITE: (o: { least: string; got: string }) =>
    `SQLite ${o.least} or newer is needed, but this Node has ${o.got}, which can damage a store. Update Node.`,
  ESP_STORE_UNUSABLE: (o: { store: string; message: string; todo?: string | undefined }) =>
    `The store ${o.store} cannot be used: ${o.message}. ` +
    (o.todo ?? 'It must be a file that this user may read and write, on a local disk.'),
  ESP_STORE_DIVERGED: (o: { store: string; what: string; expected: unknown; got: unknown }) =>
    `The journal of the store ${o.store} makes ${o.what} ${show(o.expected)}, but the store has ${show(o.got)}. ` +
    'Keep the file, and restore it from a backup.',
  ESP_STORE_REFUSED: (o: { store: string; message: string }) =>
    `The store ${o.store} did not take a commit: ${o.message}. Nothing of it has happened; ` +
    'make room or mend the store, and try again.',
  ESP_HOST_REFUSED: (o: { host: unknown }) =>
    `The request names the host ${show(o.host)}, by which this server may not be called. Use localhost or 127.0.0.1 with ` +
    'its port, or add the name to `allowedHosts`.',
  ESP_ORIGIN_REFUSED: (o: { origin: unknown }) =>
    `The request comes from the page of another origin (${show(o.origin)}). Only the server's own page may ask; ` +
    'other programs show the token as `Authorization: Bearer …`.',
  ESP_TOKEN_REQUIRED: (_: Record<never, never>) =>
    'The request shows no token, or a wrong or used one. Open the address that the program printed when it started, or ' +
    'show the token as `Authorization: Bearer …`.',
  ESP_READ_ONLY: (_: Record<never, never>) =>
    'This server only shows, and takes no commands. Start the inspector without `readOnly` to allow them.',
  ESP_NOT_JSON: (o: { got: unknown }) =>
    `The request's content type must be application/json, but is ${show(o.got)}. Send JSON and say so.`,
  ESP_BAD_REQUEST: (o: { expected: string; got: unknown }) =>
    `The request is not understood: expected ${o.expected}, but got ${show(o.got)}. Correct it and send it again.`,
  ESP_NOT_THERE: (o: { what: string }) =>
    `There is no ${show(o.what)} here. Look the name up in the list that it should be in.`,
  ESP_INTERNAL: (_: Record<never, never>) =>
    'The server failed while it answered. Its log tells more; report it if it happens again.',
  ESP_PAGE_MISSING: (_: Record<never, never>) =>
    'A report needs the page of the inspector, which this clone has not built. Run `npm run build` once, and try again.',
  ESP_EVENT_REFUSED: (o: { actor: string; event: string; known: readonly string[] }) =>
    `The actor "${o.actor}" is not sent "${o.event}" from outside. Send one of: ${list(o.known)}.`,
  ESP_UNSAFE_ADDRESS: (o: { host: string }) =>
    `The address ${show(o.host)} can be reached by others, so the inspector needs a token that you have chosen. ` +
    'Give `token`, or listen on 127.0.0.1.',
} as const

export type ErrorCode = keyof typeof ERRORS
type Details<Code extends ErrorCode> = Parameters<(typeof ERRORS)[Code]>[0]

/** Every code of the error table, for documentation and tests. */
export const errorCodes = Object.keys(ERRORS) as ErrorCode[]

/**
 * An error of espalier's own: `code` says which, `details` carries the facts its text was made of.
 *
 * Errors thrown by user code are never wrapped in it, except as `cause`.
 */
export class EspalierError<Code extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'EspalierError'
  readonly code: Code
  readonly details: Details<Code>

  constructor(code: Code, details: Details<Code>, options?: ErrorOptions) {
    const text = ERRORS[code] as (details: Details<Code>) => string
    super(`${code}: ${text(details)}`, options)
    this.code = code
    this.details = details
  }
}

/**
 * Makes an error one of espalier's own again, as another process or a store has it.
 *
 * Its text stays what it was: it is not made from the details, which may be anything where the error came from elsewhere.
 */
export function asEspalierError(
  error: Error,
  facts: { readonly name: string; readonly code: unknown; readonly details: unknown },
): EspalierError {
  return Object.assign(Object.setPrototypeOf(error, EspalierError.prototype), facts)
}

/** Tells whether `value` is an {@link EspalierError}, of the given code if one is named. */
export function isEspalierError<Code extends ErrorCode>(
  value: unknown,
  code?: Code,
): value is EspalierError<Code> {
  return value instanceof EspalierError && (code === undefined || value.code === code)
}

/** A short, safe rendering of any value, however hostile, for an error text (120 characters at most). */
export function show(value: unknown): string {
  let text: string
  try {
    if (typeof value === 'string') text = JSON.stringify(value)
    else if (typeof value === 'function') text = `function ${value.name || '(anonymous)'}`
    // As JSON they would be shown as objects without fields.
    else if (value instanceof Map) text = 'a Map'
    else if (value instanceof Set) text = 'a Set'
    else if (typeof value === 'object' && value !== null) text = JSON.stringify(value) ?? String(value)
    else text = String(value)
  } catch {
    text = `an unprintable ${typeof value}`
  }
  return text.length > 120 ? `${text.slice(0, 119)}…` : text
}

/** A path of ids as `a → b → a`; a long one keeps its ends. */
function showPath(path: readonly string[]): string {
  if (path.length <= 12) return path.join(' → ')
  return `${path.slice(0, 6).join(' → ')} → … ${path.length - 11} more … → ${path.slice(-5).join(' → ')}`
}

function meant(given: string, known: readonly string[]): string {
  const nearest = nearestName(given, known)
  return nearest === undefined ? '' : `Did you mean "${nearest}"? `
}

/** What each form of `execute` but a function is known by, and the executors that take it. */
const TAKERS: readonly (readonly [field: string, what: string, executors: string])[] = [
  ['command', 'A command', "'command'"],
  ['module', 'A handler in a module', "'thread' or 'process'"],
  ['logic', 'An actor', "'machine'"],
]

/** Names the executor for what this one does not take. */
function takenElsewhere(got: unknown, expected: string): string {
  if (typeof got !== 'object' || got === null) return ''
  const taker = TAKERS.find(([field]) => Object.hasOwn(got, field))
  // One that takes this form has found something wrong in it.
  if (taker === undefined || expected.match(/\w+/)?.[0] === taker[0]) return ''
  const [, what, executors] = taker
  return `${what} is for the executor ${executors}: name it as the job's \`executor\` or the pool's \`executorType\`. `
}

/** What was seen of the cause comes before what the code usually means. */
function startAdvice(o: {
  readonly code: string
  readonly missingCwd?: string
  readonly fileCwd?: string
  readonly found?: string
  readonly interpreter?: string | undefined
}): string {
  if (o.missingCwd !== undefined)
    return `There is no directory ${show(o.missingCwd)}: create it, or correct \`cwd\`.`
  if (o.fileCwd !== undefined) return `${show(o.fileCwd)} is no directory: correct \`cwd\`.`
  if (o.found !== undefined) {
    const runner =
      o.interpreter === undefined ? 'what is to run it' : `its interpreter ${show(o.interpreter)}`
    return `${show(o.found)} is there, but ${runner} is not: install that, or correct the file.`
  }
  switch (o.code) {
    case 'ENOENT':
      return 'There is no such program: install it, correct the name, or give its whole path.'
    case 'ENOTDIR':
      return 'Its path goes through a file as if that were a directory: correct the path.'
    case 'EACCES':
      return 'It may not be executed: make it executable, or name its interpreter as `command`.'
    case 'E2BIG':
      return 'Its arguments are too long for this system: pass data by `stdin` or in a file.'
    default:
      return 'Look up what this code means on this system.'
  }
}

function list(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.join(', ')
}
