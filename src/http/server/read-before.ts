import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { EspalierError } from '../../domain/errors.ts'

/**
 * The body of a request that another server may have read before it handed the request on: what a parser left in
 * `request.body` is written out again, since nothing more will ever come from the request itself.
 *
 * @throws {EspalierError} `ESP_BAD_REQUEST` when it was read and not kept.
 */
export function bodyOf(request: IncomingMessage & { readonly body?: unknown }): Readable {
  if (!request.readableDidRead) return request
  const { body } = request
  if (body === undefined) {
    throw new EspalierError('ESP_BAD_REQUEST', {
      expected: 'a body that nobody has read yet: the inspector must be mounted before what reads bodies',
      got: body,
    })
  }
  const isAsSent = typeof body === 'string' || Buffer.isBuffer(body)
  const stream = Readable.from([isAsSent ? body : JSON.stringify(body)])
  // What is written out may be longer or shorter than what was announced.
  return Object.assign(stream, { receivedEncodedLength: Number(request.headers['content-length']) })
}
