import type { HandlerContext } from '../../domain/job.ts'

// What the contract suite of executors runs. In a module of its own: threads and processes load it by its URL.

/** Returns its arguments. */
export const echo = (...given: unknown[]): unknown => given.slice(0, -1)

/** Tells what it was called with, last. */
export const describeContext = ({
  jobId,
  nodeId,
  treeId,
  attempt,
  signal,
  parentResults,
}: HandlerContext): unknown => ({
  jobId,
  nodeId,
  treeId,
  attempt,
  parentResults,
  isAborted: signal.aborted,
})

/** Throws an error with everything that an error may have. */
export const fail = (): never => {
  const cause = new RangeError('the root')
  throw Object.assign(new TypeError('broken', { cause }), { code: 'E_BROKEN', details: { tries: 2 } })
}

export const failWithText = (): never => {
  // biome-ignore lint/style/useThrowOnlyError: what others throw is the subject here.
  throw 'just words'
}

/** Speaks in each way that a handler can. */
export const speak = ({ progress, log }: HandlerContext): string => {
  progress(0.5, 'half')
  log('a line')
  process.stdout.write('to stdout é\n')
  process.stderr.write('to stderr\n')
  return 'spoken'
}

/** Tells more of itself than anybody wants to hear. */
export const chatter = ({ progress, log }: HandlerContext): void => {
  for (let step = 0; step < 10_500; step++) progress(step / 10_500)
  for (let line = 0; line < 5; line++) log('x'.repeat(500_000))
}

/** Writes more than anybody wants to hear. */
export const babble = (): void => {
  for (let line = 0; line < 40; line++) process.stdout.write(`${'x'.repeat(65_535)}\n`)
}

/** Goes on until it is asked to end, and tells the reason. */
export const obey = ({ signal, log }: HandlerContext): Promise<never> =>
  new Promise((_, reject) => {
    log('waiting')
    signal.addEventListener('abort', () => reject(signal.reason))
    // A signal alone keeps no thread awake.
    setInterval(() => {}, 1_000)
  })

/** Never ends, and does not listen. */
export const ignore = ({ log }: HandlerContext): Promise<never> =>
  new Promise(() => {
    log('not listening')
    setInterval(() => {}, 1_000)
  })

/** Keeps its thread busy for ever. */
export const spin = (): never => {
  for (;;) Math.sqrt(2)
}

/** Takes 30 ms of its own thread's CPU time and 32 MB of memory. */
export const work = (): number => {
  const buffer = Buffer.alloc(32 * 1024 ** 2, 1)
  const until = process.threadCpuUsage().user + 30_000
  let sum = 0
  while (process.threadCpuUsage().user < until) sum += buffer[sum % buffer.length] ?? 0
  return buffer.length
}

/** Holds 10 MB more of buffers every few ms, up to 600 MB. */
export const hoard = async (): Promise<number> => {
  const held: Buffer[] = []
  while (held.length < 60) {
    held.push(Buffer.alloc(10 * 1024 ** 2, 1))
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  return held.length
}

export const returnFunction = (): unknown => ({ items: [{ next: () => {} }] })

/** The length of a buffer that was handed over. */
export const lengthOf = (buffer: ArrayBuffer): number => buffer.byteLength

let kept: ArrayBuffer | undefined

/** Returns a buffer that it asks to be moved, and what is left here of the one before. */
export const moveOut = ({ move }: HandlerContext): unknown => {
  const left = kept?.byteLength
  kept = new ArrayBuffer(8)
  move([kept])
  return { buffer: kept, left }
}
