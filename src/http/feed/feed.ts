import { randomBytes } from 'node:crypto'
import type { FeedStatus, MissingHistory } from '../../protocol/messages.ts'
import { encodeRecording, type RecordingHeader } from '../../protocol/recording.ts'
import { READY } from '../../runtime/job/job-states.ts'
import { PoolCore } from '../../runtime/pool/job-pool.ts'
import type { RecordedRun } from '../../runtime/pool/recorder.ts'
import type { Supervisor } from '../../runtime/pool/supervisor.ts'
import { packageVersion } from '../files/static-files.ts'
import { recordPast } from '../notes/past-jobs.ts'
import { ProcessSampler } from '../notes/process-sampler.ts'
import { RawJournal } from '../notes/raw-journal.ts'
import type { Query, QueryResults } from '../queries/query.ts'
import type { BlockSource, FeedViewer } from '../server/viewer.ts'
import { BodyCharts } from './body-charts.ts'
import { FeedWorker } from './feed-worker-thread.ts'

/** How often a viewer gets what is new, in ms. */
const BLOCK_EVERY_MS = 100
const STATUS_EVERY_MS = 500
const SAMPLE_EVERY_MS = 1_000
/** Bytes of notes that wait while nobody looks; beyond these the worker makes blocks of them. */
const RAW_BYTES_MAX = 32 * 1024 * 1024

export interface FeedOptions {
  readonly title: string
  /** Bytes of blocks that are kept; beyond these the recording begins anew with what is alive. */
  readonly historyBytesMax: number
  /** What a page needs to have at hand, by name; see the journal's `documents`. */
  readonly documents: Readonly<Record<string, string>>
}

/**
 * The recording of a pool while it works.
 *
 * The pool's thread only notes numbers. A worker thread makes the journal of them, and is started when somebody looks, or
 * when the notes grow too large; until then nothing else happens.
 */
export class Feed implements BlockSource {
  readonly isRecorded = false
  readonly #supervisor: Supervisor
  readonly #options: FeedOptions
  readonly #viewers = new Set<FeedViewer>()
  readonly #sampler: ProcessSampler
  /** The charts of machines that jobs run. */
  readonly bodyCharts = new BodyCharts((machine, description) =>
    this.#startWorker().layOut(machine, description),
  )
  /** By the hash of a machine: its chart is in the notes once this resolves. */
  #charted = new Map<string, Promise<void>>()
  #raw: RawJournal
  #header: RecordingHeader
  #missing: MissingHistory | undefined
  #blocks: Uint8Array[] = []
  #blockBytes = 0
  /** About how many bytes of notes the worker has been given and has not made blocks of. */
  #packingBytes = 0
  /** How many blocks the worker has been given with questions. */
  #asked = 0
  /** Per block, how many events had been taken when it was cut. */
  #eventsByBlock: number[] = []
  #worker: FeedWorker | undefined
  #blockTimer: NodeJS.Timeout | undefined
  #statusTimer: NodeJS.Timeout | undefined
  #sampleTimer: NodeJS.Timeout | undefined
  #cutSoon: NodeJS.Immediate | undefined
  /** What had happened when the last sample was taken: of most steps of jobs only the counts tell. */
  #sampledNews = ''
  #endedBefore = 0
  #statusAt = 0
  #isClosed = false

  constructor(pool: PoolCore, options: FeedOptions) {
    this.#supervisor = PoolCore.partsOf(pool).supervisor
    this.#options = options
    this.#sampler = new ProcessSampler()
    const { raw, header, missing } = this.#begin()
    this.#raw = raw
    this.#header = header
    this.#missing = missing
    // What the limit was from the beginning is told by nothing else.
    this.#sample()
    this.#sampleTimer = setInterval(() => this.#sample(), SAMPLE_EVERY_MS).unref()
    void this.#supervisor.closed.then(() => this.#ended())
  }

  get header(): RecordingHeader {
    return this.#header
  }

  get missing(): MissingHistory | undefined {
    return this.#missing
  }

  /** By number. */
  get blocks(): readonly Uint8Array[] {
    return this.#blocks
  }

  /** Begins to make blocks for a viewer. */
  join(viewer: FeedViewer): void {
    this.#viewers.add(viewer)
    this.#raw.isWatched = true
    this.#blockTimer ??= setInterval(() => void this.cut(), BLOCK_EVERY_MS).unref()
    this.#statusTimer ??= setInterval(() => this.#tellStatus(), STATUS_EVERY_MS).unref()
    void this.cut()
  }

  leave(viewer: FeedViewer): void {
    this.#viewers.delete(viewer)
    if (this.#viewers.size > 0) return
    this.#raw.isWatched = false
    clearInterval(this.#blockTimer)
    clearInterval(this.#statusTimer)
    this.#blockTimer = undefined
    this.#statusTimer = undefined
  }

  /** Makes blocks of what has happened since the last time. */
  async cut(): Promise<void> {
    const { id } = this.#header
    const chunks = this.#raw.take()
    const bytes = chunks.reduce((sum, chunk) => sum + chunk.bytes, 0)
    this.#packingBytes += bytes
    const blocks = await this.#startWorker().cut(chunks)
    if (id !== this.#header.id) return
    this.#packingBytes -= bytes
    if (blocks.length === 0) return
    for (const { bytes, events } of blocks) {
      this.#blocks.push(bytes)
      this.#eventsByBlock.push(events)
      this.#blockBytes += bytes.length
    }
    for (const viewer of this.#viewers) viewer.pump()
    if (this.#viewers.size > 0 && !this.#isClosed) void this.#addCharts()
    this.#keepBounded()
  }

  /** Asks about the journal as it is now. */
  async ask<Type extends Query['type']>(query: Query & { readonly type: Type }): Promise<QueryResults[Type]> {
    await this.cut()
    const unasked = this.#blocks.slice(this.#asked)
    this.#asked = this.#blocks.length
    return (await this.#startWorker().ask(query, unasked)) as QueryResults[Type]
  }

  /** The recording until now. */
  async recording(): Promise<Uint8Array<ArrayBuffer>> {
    await this.#addCharts()
    await this.cut()
    return encodeRecording(this.#header, this.#blocks)
  }

  /** Adds the charts of machines that jobs run: laid out only now, when somebody is about to see them. */
  async #addCharts(): Promise<void> {
    const [raw, charted] = [this.#raw, this.#charted]
    for (const hash of this.bodyCharts.hashes) {
      if (charted.has(hash)) continue
      const added = this.bodyCharts.document(hash).then((document) => {
        raw.item({ type: 'document', name: `machine/${hash}`, text: JSON.stringify(document) })
      })
      charted.set(hash, added)
    }
    await Promise.all(charted.values())
  }

  /** How many events have happened that are not in the blocks before this one. */
  eventsAfter(block: number): number {
    return this.#raw.events - (this.#eventsByBlock[block - 1] ?? 0)
  }

  /** The actor of a run that is going on. */
  runActor(runId: string): RecordedRun['actor'] | undefined {
    return this.#raw.runs.get(runId)?.actor
  }

  status(): FeedStatus {
    const { counts, slots, actor } = this.#supervisor
    const { value, context } = actor.getSnapshot()
    const at = this.#supervisor.now()
    const ended = counts.completed + counts.failed + counts.cancelled
    const passedMs = at - this.#statusAt
    const jobsPerSecond =
      this.#statusAt === 0 || passedMs <= 0 ? 0 : (1000 * (ended - this.#endedBefore)) / passedMs
    this.#statusAt = at
    this.#endedBefore = ended
    return {
      at,
      counts: counts.byState,
      busy: slots.busy,
      limit: context.maxParallelJobs,
      zombies: slots.zombies.size,
      lifecycle: value.lifecycle,
      dispatch: value.dispatch,
      jobsPerSecond,
      block: this.#blocks.length - 1,
      eventsBehind: 0,
      isSlow: false,
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    if (this.#supervisor.recorder === this.#raw) this.#supervisor.recorder = undefined
    this.#raw.close()
    clearInterval(this.#blockTimer)
    clearInterval(this.#statusTimer)
    clearInterval(this.#sampleTimer)
    clearImmediate(this.#cutSoon)
    this.#sampler.close()
    await this.#worker?.close()
  }

  #begin(): { raw: RawJournal; header: RecordingHeader; missing: MissingHistory | undefined } {
    const supervisor = this.#supervisor
    const raw: RawJournal = new RawJournal(
      {
        poolState: () => poolStateOf(supervisor),
        limit: () => supervisor.actor.getSnapshot().context.maxParallelJobs,
        sequenceOf: (jobId) => supervisor.jobs.get(jobId)?.sequence,
        jobsBetween: (first, last) => supervisor.jobs.entriesBetween(first, last),
        holders: () => supervisor.slots.holders().map(({ job }) => job),
        now: () => supervisor.now(),
        meet: (machine) => this.bodyCharts.meet(machine),
        tookUp: () => this.#renew(),
      },
      () => {
        if (raw.fullBytes > RAW_BYTES_MAX) this.#cutSoon ??= setImmediate(() => this.#cutFull())
      },
    )
    raw.isWatched = this.#viewers.size > 0
    for (const [name, text] of Object.entries(this.#options.documents))
      raw.item({ type: 'document', name, text })
    const { startedAt, missing } = recordPast(supervisor, raw)
    supervisor.recorder = raw
    const header: RecordingHeader = {
      format: 'espalier-recording',
      version: 1,
      id: randomBytes(9).toString('base64url'),
      startedAt,
      idPrefix: supervisor.jobs.idPrefix,
      espalier: packageVersion(),
      title: this.#options.title,
    }
    return { raw, header, missing: missing === 0 ? undefined : { jobs: missing } }
  }

  /** Of what is in the middle of being noted, nothing can be taken. */
  #cutFull(): void {
    this.#cutSoon = undefined
    if (this.#viewers.size === 0 && !this.#isClosed) void this.cut()
  }

  /** Notes that the worker has not got to are history too: they wait in memory while others take its processor. */
  #keepBounded(): void {
    if (this.#isClosed || this.#blockBytes + this.#packingBytes <= this.#options.historyBytesMax) return
    this.#renew()
  }

  #renew(): void {
    const { runs } = this.#raw
    this.#raw.close()
    this.#charted = new Map()
    void this.#worker?.close()
    this.#worker = undefined
    this.#blocks = []
    this.#eventsByBlock = []
    this.#blockBytes = 0
    this.#packingBytes = 0
    this.#asked = 0
    const { raw, header, missing } = this.#begin()
    this.#raw = raw
    this.#header = header
    this.#missing = missing
    this.#sampledNews = ''
    this.#sample()
    for (const run of runs.values()) raw.meet(run, this.#supervisor.now())
    for (const viewer of this.#viewers) viewer.renewed()
  }

  #startWorker(): FeedWorker {
    this.#worker ??= new FeedWorker({
      startedAt: this.#header.startedAt,
      executor: this.#supervisor.executor.name,
      idPrefix: this.#header.idPrefix,
    })
    return this.#worker
  }

  #tellStatus(): void {
    const status = this.status()
    for (const viewer of this.#viewers) viewer.status(status)
  }

  #sample(): void {
    const { counts, slots, actor } = this.#supervisor
    // What a job leaks or keeps busy is seen though it tells nothing for long.
    if (counts.running === 0 && this.#news === this.#sampledNews) return
    this.#keepBounded()
    this.#raw.item({
      type: 'sample',
      row: {
        at: this.#supervisor.now(),
        busy: slots.busy,
        limit: actor.getSnapshot().context.maxParallelJobs,
        ready: counts.byState[READY] ?? 0,
        waiting: counts.blocked + counts.delayed,
        ...this.#sampler.take(),
      },
    })
    this.#sampledNews = this.#news
  }

  get #news(): string {
    return `${this.#raw.events} ${this.#supervisor.counts.byState}`
  }

  async #ended(): Promise<void> {
    if (this.#isClosed) return
    clearInterval(this.#sampleTimer)
    if (this.#viewers.size === 0) return
    this.#tellStatus()
    await this.cut()
    for (const viewer of this.#viewers) viewer.ended()
  }
}

/** Index into `POOL_STATES`. */
function poolStateOf({ actor }: Supervisor): number {
  const { lifecycle, dispatch } = actor.getSnapshot().value
  return (
    3 * ['accepting', 'draining', 'closed'].indexOf(lifecycle) +
    ['open', 'paused', 'throttled'].indexOf(dispatch)
  )
}
