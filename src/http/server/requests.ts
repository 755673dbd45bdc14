import * as v from 'valibot'
import { EspalierError } from '../../domain/errors.ts'
import { PRIORITIES } from '../../domain/priority.ts'
import type { Command, JobFilter, PageMessage } from '../../protocol/messages.ts'
import { JOB_SORTS, type JobSort } from '../queries/query.ts'

const IDS_MAX = 10_000
const JOBS_PER_PAGE_MAX = 1_000
const TEXT_LENGTH_MAX = 200
const REASON_LENGTH_MAX = 2_000

const text = v.pipe(v.string(), v.maxLength(TEXT_LENGTH_MAX))
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const texts = v.pipe(v.array(text), v.maxLength(100))
const priority = v.picklist(PRIORITIES)

const filter = v.strictObject({
  states: v.exactOptional(texts),
  kinds: v.exactOptional(texts),
  priorities: v.exactOptional(v.pipe(v.array(priority), v.maxLength(PRIORITIES.length))),
  treeId: v.exactOptional(text),
  text: v.exactOptional(text),
})

const selection = v.union([
  v.strictObject({ ids: v.pipe(v.array(text), v.maxLength(IDS_MAX)) }),
  v.strictObject({ filter }),
])
const isPreview = v.exactOptional(v.boolean())

const command = v.variant('type', [
  v.strictObject({ type: v.literal('pool.pause') }),
  v.strictObject({ type: v.literal('pool.resume') }),
  v.strictObject({
    type: v.literal('pool.limit'),
    maxParallelJobs: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(1_000_000)),
  }),
  v.strictObject({
    type: v.literal('jobs.cancel'),
    jobs: selection,
    reason: v.exactOptional(v.pipe(v.string(), v.nonEmpty(), v.maxLength(REASON_LENGTH_MAX))),
    isPreview,
  }),
  v.strictObject({ type: v.literal('jobs.retry'), jobs: selection, isPreview }),
  v.strictObject({ type: v.literal('jobs.prioritise'), jobs: selection, priority, isPreview }),
  v.strictObject({
    type: v.literal('actor.send'),
    actor: text,
    event: v.looseObject({ type: v.pipe(text, v.nonEmpty()) }),
  }),
])

const pageMessage = v.variant('type', [
  v.strictObject({
    type: v.literal('hello'),
    protocol: count,
    resume: v.exactOptional(v.strictObject({ recording: text, block: count })),
  }),
  v.strictObject({ type: v.literal('ack'), block: count }),
  v.strictObject({ type: v.literal('visible'), isVisible: v.boolean() }),
])

/** @throws {EspalierError} `ESP_BAD_REQUEST`. */
export function readCommand(body: unknown): Command {
  return read(command, body)
}

/** @throws {EspalierError} `ESP_BAD_REQUEST`. */
export function readPageMessage(json: string): PageMessage {
  let message: unknown
  try {
    message = JSON.parse(json)
  } catch {
    throw new EspalierError('ESP_BAD_REQUEST', { expected: 'JSON', got: json })
  }
  return read(pageMessage, message)
}

/** @throws {EspalierError} `ESP_BAD_REQUEST`. */
export function readToken(body: unknown): string {
  return read(v.strictObject({ token: v.pipe(v.string(), v.maxLength(500)) }), body).token
}

/** What `GET api/jobs` asks for. */
export interface JobsRequest {
  readonly filter: JobFilter
  readonly sort: JobSort
  readonly from: number
  readonly limit: number
}

const numberText = v.pipe(v.string(), v.regex(/^\d{1,9}$/), v.transform(Number))
const oneOrMore = v.pipe(
  v.union([v.string(), v.array(v.string())]),
  v.transform((given) => (typeof given === 'string' ? given.split(',') : given)),
)

const jobsQuery = v.strictObject({
  state: v.exactOptional(v.pipe(oneOrMore, texts)),
  kind: v.exactOptional(v.pipe(oneOrMore, texts)),
  priority: v.exactOptional(v.pipe(oneOrMore, v.array(priority))),
  tree: v.exactOptional(text),
  text: v.exactOptional(text),
  sort: v.exactOptional(v.picklist(JOB_SORTS)),
  after: v.exactOptional(numberText),
  limit: v.exactOptional(v.pipe(numberText, v.minValue(1), v.maxValue(JOBS_PER_PAGE_MAX))),
})

/** @throws {EspalierError} `ESP_BAD_REQUEST`. */
export function readJobsQuery(query: unknown): JobsRequest {
  // Fastify's has no prototype, which a strict object does not mind, but `toString` of an error text would.
  const {
    state,
    kind,
    priority: band,
    tree,
    text: wanted,
    sort,
    after,
    limit,
  } = read(jobsQuery, {
    ...(query as object),
  })
  return {
    filter: {
      ...(state === undefined ? {} : { states: state }),
      ...(kind === undefined ? {} : { kinds: kind }),
      ...(band === undefined ? {} : { priorities: band }),
      ...(tree === undefined ? {} : { treeId: tree }),
      ...(wanted === undefined ? {} : { text: wanted }),
    },
    sort: sort ?? 'newest',
    from: after ?? 0,
    limit: limit ?? 100,
  }
}

function read<Schema extends v.GenericSchema>(schema: Schema, given: unknown): v.InferOutput<Schema> {
  const result = v.safeParse(schema, given)
  if (result.success) return result.output
  const [issue] = result.issues
  const path = v.getDotPath(issue)
  const expected = `${path === null ? 'a request' : `"${path}"`} of the form: ${issue.expected ?? issue.message}`
  throw new EspalierError('ESP_BAD_REQUEST', { expected, got: issue.received })
}
