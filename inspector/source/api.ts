import type { Command, CommandResult, ErrorBody } from '../../src/protocol/index.ts'
import { canControl, connection, isOperator, isServedRecording } from '../state/session.ts'
import { toast } from '../state/toasts.ts'

/** What a server refused, with its reason. */
class RefusedError extends Error {
  override readonly name = 'RefusedError'
  readonly status: number

  constructor(message: string, status: number) {
    super(message)
    this.status = status
  }
}

/** Whether the server refused because it does not know who asks. */
export const isLocked = (error: unknown): boolean => error instanceof RefusedError && error.status === 401

/** How long the server may take to tell whether it knows this page, in ms. */
const ANSWER_WITHIN_MS = 3_000

/** Whether the server wants its token; not when it cannot be reached, or takes its time. */
export async function isLockedOut(): Promise<boolean> {
  try {
    await getJson('api/status', AbortSignal.timeout(ANSWER_WITHIN_MS))
    return false
  } catch (error) {
    // A recording has no status, and lets in who may hear that.
    return isLocked(error)
  }
}

/** Whether the page came from a server, which may have no more than a recording. */
export const hasServer = (): boolean => ['live', 'silent', 'ended', 'lost'].includes(connection.value.kind)

/** Whether there is a pool to ask for details, which no recording has. */
export const hasPool = (): boolean => hasServer() && !isServedRecording.value

/** @throws {RefusedError} */
export async function getJson<Body>(path: string, signal?: AbortSignal): Promise<Body> {
  return answer(
    await fetch(new URL(path, document.baseURI), { ...(signal && { signal }), credentials: 'same-origin' }),
  )
}

/** @throws {RefusedError} */
export async function postJson<Body>(path: string, body: unknown): Promise<Body> {
  return answer(
    await fetch(new URL(path, document.baseURI), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      credentials: 'same-origin',
      body: JSON.stringify(body),
    }),
  )
}

export const sendCommand = (command: Command): Promise<CommandResult> => postJson('api/commands', command)

/**
 * Sends a command and tells how it went.
 *
 * @param tell - What to say when all went well; default: `done`.
 */
export async function doCommand(
  command: Command,
  done: string,
  tell: (result: CommandResult) => string = () => done,
): Promise<CommandResult | undefined> {
  if (!canControl.peek()) {
    const why = isOperator.peek()
      ? 'the pool cannot be reached, or has ended.'
      : 'this page may only look, since the server does not let it change anything.'
    toast('failed', `${done} did not happen: ${why}`)
    return undefined
  }
  try {
    const result = await sendCommand(command)
    const skipped = result.skipped.reduce((sum, { count }) => sum + count, 0)
    const [first] = result.skipped
    if (skipped > 0 && first !== undefined)
      toast(
        result.done > 0 ? 'done' : 'failed',
        `${done}: ${result.done}. Not done: ${skipped}, ${first.why}`,
      )
    else toast('done', `${tell(result)}.`)
    return result
  } catch (error) {
    toast('failed', `${done} did not happen: ${error instanceof Error ? error.message : error}`)
    return undefined
  }
}

async function answer<Body>(response: Response): Promise<Body> {
  const body: unknown = await response.json().catch(() => undefined)
  if (response.ok) return body as Body
  throw new RefusedError(
    (body as ErrorBody | undefined)?.message ?? `The server answered ${response.status}.`,
    response.status,
  )
}
