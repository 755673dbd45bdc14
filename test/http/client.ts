import { once } from 'node:events'
import WebSocket from 'ws'
import { createInspector, type Inspector, type InspectorOptions } from '../../src/http/index.ts'
import { JobPool } from '../../src/index.ts'
import {
  decodeBlock,
  type PageMessage,
  PROTOCOL_VERSION,
  RunModel,
  type ServerMessage,
} from '../../src/protocol/index.ts'

/** A pool and its inspector, served. */
export interface Served extends AsyncDisposable {
  readonly pool: JobPool
  readonly inspector: Inspector
  /** Without a slash at its end. */
  readonly origin: string
  /** The code of its address. */
  readonly code: string
  readonly bearer: { readonly authorization: string }
}

export async function serve(
  poolOptions: ConstructorParameters<typeof JobPool>[0] = {},
  options: InspectorOptions = {},
): Promise<Served> {
  const pool = new JobPool({ maxParallelJobs: 2, ...poolOptions })
  const inspector = createInspector(pool, options)
  const address = new URL(await inspector.listen())
  return {
    pool,
    inspector,
    origin: address.origin,
    code: address.hash.slice('#code='.length),
    bearer: { authorization: `Bearer ${inspector.token}` },
    async [Symbol.asyncDispose]() {
      await inspector.close()
      await pool.shutdown({ wait: false })
    },
  }
}

/** A page that folds what it gets, as the inspector's does. */
export class Page implements Disposable {
  model = new RunModel()
  readonly messages: ServerMessage[] = []
  /** Numbers of the blocks it got. */
  readonly blocks: number[] = []
  /** Of its binary messages. */
  bytes = 0
  /** Set to answer no more. */
  isStuck = false
  readonly #socket: WebSocket
  #waiters: (() => void)[] = []

  constructor({ origin, bearer }: Pick<Served, 'origin' | 'bearer'>, hello: Partial<PageMessage> = {}) {
    this.#socket = new WebSocket(`${origin.replace('http', 'ws')}/api/feed`, { headers: bearer })
    this.#socket.on('open', () =>
      this.send({ type: 'hello', protocol: PROTOCOL_VERSION, ...hello } as PageMessage),
    )
    this.#socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) this.#take(data)
      else this.messages.push(JSON.parse(String(data)) as ServerMessage)
      for (const waiter of this.#waiters.splice(0)) waiter()
    })
  }

  send(message: PageMessage): void {
    this.#socket.send(JSON.stringify(message))
  }

  sendText(text: string): void {
    this.#socket.send(text)
  }

  /** Resolves when this is so, after whatever has come. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>((resolve) => this.#waiters.push(resolve))
  }

  find<Type extends ServerMessage['type']>(
    type: Type,
  ): (ServerMessage & { readonly type: Type }) | undefined {
    return this.messages.findLast(
      (message): message is ServerMessage & { type: Type } => message.type === type,
    )
  }

  async closed(): Promise<number> {
    if (this.#socket.readyState === WebSocket.CLOSED) return -1
    const [code] = (await once(this.#socket, 'close')) as [number]
    return code
  }

  [Symbol.dispose](): void {
    this.#socket.terminate()
  }

  #take(data: Buffer): void {
    this.bytes += data.length
    const first = data.readUInt32LE(0)
    let number = first
    for (let offset = 4; offset < data.length; ) {
      const length = data.readUInt32LE(offset)
      this.model.apply(decodeBlock(data.subarray(offset + 4, offset + 4 + length)))
      this.blocks.push(number++)
      offset += 4 + length
    }
    if (!this.isStuck) this.send({ type: 'ack', block: first })
  }
}
