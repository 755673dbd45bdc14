import { EspalierError } from '../../domain/errors.ts'
import {
  type FeedStatus,
  MESSAGES_IN_FLIGHT,
  type MissingHistory,
  type PageMessage,
  PROTOCOL_VERSION,
  type ServerMessage,
} from '../../protocol/messages.ts'
import type { RecordingHeader } from '../../protocol/recording.ts'
import { readPageMessage } from './requests.ts'

/** Bytes of blocks that go into one message, unless a single block is larger. */
const MESSAGE_BYTES = 256 * 1024
/** Bytes that may wait in the socket. */
const SOCKET_BYTES_MAX = 1024 * 1024
/** How long a page may take to say hello, in ms. */
const HELLO_WITHIN_MS = 10_000

const POLICY_VIOLATION = 1008

/** Somebody who wants to hear of new blocks. */
export interface FeedViewer {
  /** There are new blocks. */
  pump(): void
  status(status: FeedStatus): void
  /** The recording is another one: block numbers begin anew. */
  renewed(): void
  ended(): void
}

/** Where blocks come from: a pool at work, or a recording. */
export interface BlockSource {
  readonly header: RecordingHeader
  readonly missing: MissingHistory | undefined
  readonly isRecorded: boolean
  /** By number. */
  readonly blocks: readonly Uint8Array[]
  join(viewer: FeedViewer): void
  leave(viewer: FeedViewer): void
  status(): FeedStatus
  /** How many events have happened that are not in the blocks before this one. */
  eventsAfter(block: number): number
}

/** What is asked of a WebSocket: the package's own types name none of `ws`, whose types are not installed with it. */
export interface ViewerSocket {
  readonly OPEN: number
  readonly readyState: number
  readonly bufferedAmount: number
  on(event: 'message', listener: (data: unknown, isBinary: boolean) => void): unknown
  on(event: 'close' | 'error', listener: () => void): unknown
  send(message: string | Uint8Array): void
  close(code?: number): void
}

/** One page that looks on: what it has been sent, and what it has taken. */
export class Viewer implements FeedViewer {
  readonly #socket: ViewerSocket
  readonly #feed: BlockSource
  readonly #canControl: boolean
  /** First blocks of the messages on their way. */
  readonly #inFlight = new Set<number>()
  readonly #helloTimer: NodeJS.Timeout
  #next = 0
  #hasJoined = false
  #isVisible = true
  #hasEnded = false

  constructor(socket: ViewerSocket, feed: BlockSource, canControl: boolean) {
    this.#socket = socket
    this.#feed = feed
    this.#canControl = canControl
    this.#helloTimer = setTimeout(() => this.close(), HELLO_WITHIN_MS).unref()
    socket.on('message', (data, isBinary) => this.#take(isBinary ? '' : String(data)))
    socket.on('close', () => this.#leave())
    socket.on('error', () => this.close())
  }

  pump(): void {
    if (!this.#isVisible) return
    const { blocks } = this.#feed
    while (
      this.#next < blocks.length &&
      this.#inFlight.size < MESSAGES_IN_FLIGHT &&
      this.#socket.bufferedAmount < SOCKET_BYTES_MAX
    ) {
      const first = this.#next
      const { message, count } = messageOf(blocks, first)
      this.#inFlight.add(first)
      this.#next += count
      this.#socket.send(message)
    }
    if (this.#hasEnded && this.#next === blocks.length) {
      this.#hasEnded = false
      this.#send({ type: 'ended' })
    }
  }

  status(status: FeedStatus): void {
    const isSlow = this.#inFlight.size >= MESSAGES_IN_FLIGHT && this.#next < this.#feed.blocks.length - 1
    const eventsBehind = this.#feed.eventsAfter(this.#next)
    if (this.#isVisible) this.#send({ type: 'status', ...status, isSlow, eventsBehind })
  }

  renewed(): void {
    this.#inFlight.clear()
    this.#send({ type: 'renewed' })
    this.#welcome(0)
  }

  ended(): void {
    this.#hasEnded = true
    this.pump()
  }

  close(): void {
    this.#socket.close()
  }

  #take(text: string): void {
    try {
      this.#carryOut(readPageMessage(text))
    } catch (error) {
      const { code, message } = error as EspalierError
      this.#send({ type: 'refused', error: { code, message } })
      this.#socket.close(POLICY_VIOLATION)
    }
  }

  #carryOut(message: PageMessage): void {
    if (!this.#hasJoined && message.type !== 'hello')
      throw new EspalierError('ESP_BAD_REQUEST', { expected: 'a hello first', got: message.type })
    switch (message.type) {
      case 'hello':
        this.#hello(message)
        return
      case 'ack':
        this.#inFlight.delete(message.block)
        this.pump()
        return
      case 'visible':
        this.#isVisible = message.isVisible
        this.pump()
    }
  }

  #hello({ protocol, resume }: PageMessage & { type: 'hello' }): void {
    if (this.#hasJoined || protocol !== PROTOCOL_VERSION) {
      const expected = this.#hasJoined ? 'one hello' : `protocol ${PROTOCOL_VERSION}: reload the page`
      throw new EspalierError('ESP_BAD_REQUEST', { expected, got: protocol })
    }
    clearTimeout(this.#helloTimer)
    this.#hasJoined = true
    const { header, blocks } = this.#feed
    const canResume = resume?.recording === header.id && resume.block <= blocks.length
    this.#welcome(canResume ? resume.block : 0)
    this.#send({ type: 'status', ...this.#feed.status() })
    this.#feed.join(this)
    this.pump()
  }

  #welcome(block: number): void {
    this.#next = block
    const { header: recording, missing, isRecorded } = this.#feed
    this.#send({
      type: 'welcome',
      protocol: PROTOCOL_VERSION,
      recording,
      block,
      canControl: this.#canControl,
      isRecorded,
      ...(missing === undefined ? {} : { missing }),
    })
  }

  #send(message: ServerMessage): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(JSON.stringify(message))
  }

  #leave(): void {
    clearTimeout(this.#helloTimer)
    this.#feed.leave(this)
  }
}

/** As many blocks as fit into one message. */
function messageOf(blocks: readonly Uint8Array[], first: number): { message: Uint8Array; count: number } {
  let count = 0
  let bytes = 4
  for (let block = blocks[first]; block !== undefined; block = blocks[first + count]) {
    if (count > 0 && bytes + block.length > MESSAGE_BYTES) break
    bytes += 4 + block.length
    count++
  }
  const message = new Uint8Array(bytes)
  const view = new DataView(message.buffer)
  view.setUint32(0, first, true)
  let offset = 4
  for (const block of blocks.slice(first, first + count)) {
    view.setUint32(offset, block.length, true)
    message.set(block, offset + 4)
    offset += 4 + block.length
  }
  return { message, count }
}
