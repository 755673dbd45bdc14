import { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { EspalierError } from '../../domain/errors.ts'
import { decodeRecording } from '../../protocol/recording.ts'
import { EXPORT_FORMATS, type ExportFormat } from '../../protocol/routes.ts'
import { exportElsewhere } from './export-thread.ts'
import { exportedFile } from './exports.ts'

/** How many recordings are written in another format at once: each takes a thread and the memory of a whole fold. */
const EXPORTS_AT_ONCE = 2
/** For how long a reader may take nothing, in ms, before it is cut off. */
const STALLED_MS = 60_000

/** Sends recordings as files to keep. */
export class Downloads {
  readonly #stalledMs: number
  readonly #waiting: (() => void)[] = []
  #free = EXPORTS_AT_ONCE

  constructor(stalledMs = STALLED_MS) {
    this.#stalledMs = stalledMs
  }

  sendRecording(reply: FastifyReply, recording: Uint8Array): FastifyReply {
    return sendFile(reply, 'recording.espalier', 'application/octet-stream', Buffer.from(recording))
  }

  /**
   * Sends a recording in the format that the request names. Two are sent at once, and others wait for their turn.
   *
   * @param recordingOf - Asked when it is the request's turn, so that those who wait hold no memory.
   */
  async sendExport(
    request: FastifyRequest,
    reply: FastifyReply,
    recordingOf: () => Uint8Array | Promise<Uint8Array>,
  ): Promise<FastifyReply> {
    const format = formatOf(request)
    await this.#turn()
    try {
      // Who went away while it waited gets nothing made.
      if (!reply.raw.closed) await this.#export(reply, format, await recordingOf())
    } finally {
      this.#next()
    }
    return reply
  }

  /** Resolves when all is made, or the reader has gone. */
  async #export(reply: FastifyReply, format: ExportFormat, recording: Uint8Array): Promise<void> {
    const { fileName, type } = exportedFile(decodeRecording(recording).header, format)
    const parts = exportElsewhere(recording, format)
    const body: Readable = Readable.from(unlessStalled(parts, this.#stalledMs, () => body.destroy()))
    sendFile(reply, fileName, type, body)
    await finished(body).catch(() => {})
  }

  async #turn(): Promise<void> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  #next(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free++
    else next()
  }
}

function formatOf(request: FastifyRequest): ExportFormat {
  const { format } = request.params as { readonly format: string }
  const known = EXPORT_FORMATS.find((each) => each === format)
  if (known === undefined) throw new EspalierError('ESP_NOT_THERE', { what: `format "${format}"` })
  return known
}

/** The parts, and a call of `cut` when the next is not asked for within this time. */
async function* unlessStalled(
  parts: AsyncIterable<string>,
  stalledMs: number,
  cut: () => void,
): AsyncGenerator<string> {
  for await (const part of parts) {
    const timer = setTimeout(cut, stalledMs)
    try {
      yield part
    } finally {
      clearTimeout(timer)
    }
  }
}

/** As an attachment: what is in it comes from jobs, and must not run as a page of this server. */
function sendFile(reply: FastifyReply, name: string, type: string, body: Buffer | Readable): FastifyReply {
  return reply.type(type).header('content-disposition', `attachment; filename="${name}"`).send(body)
}
