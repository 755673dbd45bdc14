import { batch } from '@preact/signals'
import {
  decodeBlock,
  type FeedStatus,
  type PageMessage,
  PROTOCOL_VERSION,
  type RecordingHeader,
  type ServerMessage,
} from '../../src/protocol/index.ts'
import { RunStore } from '../model/run-store.ts'
import {
  connection,
  header,
  isOperator,
  isServedRecording,
  missingJobs,
  status,
  store,
  tick,
} from '../state/session.ts'
import { chosenAt, follow } from '../state/time.ts'
import { toast } from '../state/toasts.ts'
import { isLockedOut } from './api.ts'
import { messageOf } from './recorded.ts'

const FIRST_RETRY_MS = 500
const LAST_RETRY_MS = 15_000
/** A live server tells its status twice a second, whatever happens: after so long without a word, in ms, it is silent. */
const SILENT_AFTER_MS = 3_000
const CHECK_EVERY_MS = 500

/** Stays at the moment shown, if the other recording has it, and tells why all else may be different. */
function leaveFor({ startedAt }: RecordingHeader): void {
  if (chosenAt.peek() < startedAt) follow()
  toast('done', 'The server has begun another recording: what you see is of that.')
}

/** The feed of a live pool: blocks in, acknowledgements out; after a lost connection it goes on where it was. */
export class Feed {
  #socket: WebSocket | undefined
  #run: RunStore | undefined
  #recording: string | undefined
  #nextBlock = 0
  #failures = 0
  #retry: ReturnType<typeof setTimeout> | undefined
  #watch: ReturnType<typeof setInterval> | undefined
  /** When the server was last heard, by `performance.now()`. */
  #heardAt = 0
  #hasEnded = false

  start(): void {
    document.addEventListener('visibilitychange', () => this.#tellVisible())
    this.#open()
  }

  /** Tries at once instead of waiting. */
  retryNow(): void {
    clearTimeout(this.#retry)
    this.#open()
  }

  #open(): void {
    const before = this.#socket
    if (this.#run === undefined) connection.value = { kind: 'loading', what: 'Connecting to the pool' }
    const address = new URL('api/feed', document.baseURI)
    address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:'
    address.hash = ''
    const socket = new WebSocket(address)
    socket.binaryType = 'arraybuffer'
    this.#socket = socket
    before?.close()
    socket.onopen = () => {
      const resume =
        this.#recording === undefined
          ? {}
          : { resume: { recording: this.#recording, block: this.#nextBlock } }
      this.#send({ type: 'hello', protocol: PROTOCOL_VERSION, ...resume })
      this.#tellVisible()
    }
    socket.onmessage = ({ data }) => {
      if (socket !== this.#socket) return
      this.#heardAt = performance.now()
      if (connection.peek().kind === 'silent') connection.value = { kind: 'live' }
      try {
        if (typeof data === 'string') this.#hear(JSON.parse(data) as ServerMessage)
        else this.#take(new Uint8Array(data as ArrayBuffer))
      } catch (error) {
        this.#fail(`What the server sent cannot be read: ${messageOf(error)}`)
      }
    }
    socket.onclose = () => void this.#lose(socket)
  }

  #hear(message: ServerMessage): void {
    switch (message.type) {
      case 'welcome': {
        this.#failures = 0
        if (this.#recording !== message.recording.id || this.#run === undefined) {
          this.#run = new RunStore(message.recording)
          this.#recording = message.recording.id
        }
        this.#nextBlock = message.block
        const run = this.#run
        const before = header.peek()
        batch(() => {
          if (before !== undefined && before.id !== message.recording.id) leaveFor(message.recording)
          header.value = message.recording
          isOperator.value = message.canControl
          isServedRecording.value = message.isRecorded
          missingJobs.value = message.missing?.jobs ?? 0
          store.value = run
          connection.value = { kind: 'live' }
        })
        this.#startWatch()
        return
      }
      case 'status':
        this.#takeStatus(message)
        return
      case 'renewed':
        this.#recording = undefined
        this.#run = undefined
        return
      case 'ended':
        this.#hasEnded = true
        connection.value = { kind: 'ended' }
        clearInterval(this.#watch)
        return
      case 'refused':
        this.#fail(message.error.message)
        return
    }
  }

  /** The run's clock is the server's: it goes as far as the server has told, and no further. */
  #takeStatus(told: FeedStatus): void {
    status.value = told
    // A run that lies behind has no moments yet to stand in.
    if (this.#run === undefined || this.#nextBlock <= told.block) return
    this.#run.advance(told.at)
    tick.value = tick.peek() + 1
  }

  /** A frame is the number of its first block, then each block after its length. */
  #take(frame: Uint8Array): void {
    const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
    const first = view.getUint32(0, true)
    let number = first
    for (let offset = 4; offset < frame.length; number++) {
      const length = view.getUint32(offset, true)
      const block = frame.subarray(offset + 4, offset + 4 + length)
      offset += 4 + length
      if (number !== this.#nextBlock || this.#run === undefined) continue
      this.#run.apply(decodeBlock(block))
      this.#nextBlock++
    }
    tick.value = tick.peek() + 1
    this.#send({ type: 'ack', block: first })
  }

  async #lose(socket: WebSocket): Promise<void> {
    if (socket !== this.#socket) return
    clearInterval(this.#watch)
    if (this.#hasEnded || connection.peek().kind === 'refused') return
    const wait = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failures++)
    const lost = { kind: 'lost', retryAt: Date.now() + wait } as const
    if (this.#run !== undefined) connection.value = lost
    this.#retry = setTimeout(() => this.#open(), wait)
    // A browser tells no page why a socket was refused.
    const isLocked = await isLockedOut()
    if (socket !== this.#socket) return
    if (isLocked) clearTimeout(this.#retry)
    connection.value = isLocked ? { kind: 'locked' } : lost
  }

  #fail(message: string): void {
    this.#hasEnded = true
    connection.value =
      this.#run === undefined ? { kind: 'refused', message } : { kind: 'recorded', fault: message }
    this.#socket?.close()
  }

  #startWatch(): void {
    clearInterval(this.#watch)
    let checkedAt = performance.now()
    this.#watch = setInterval(() => {
      const now = performance.now()
      // A hidden page is told nothing; one that slept, or was busy itself, has yet to hear what came meanwhile.
      const wasAway = document.hidden || now - checkedAt > 2 * CHECK_EVERY_MS
      checkedAt = now
      if (wasAway) this.#heardAt = now
      else if (now - this.#heardAt > SILENT_AFTER_MS && connection.peek().kind === 'live')
        connection.value = { kind: 'silent' }
    }, CHECK_EVERY_MS)
  }

  #tellVisible(): void {
    if (this.#socket?.readyState === WebSocket.OPEN)
      this.#send({ type: 'visible', isVisible: !document.hidden })
  }

  #send(message: PageMessage): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message))
  }
}
