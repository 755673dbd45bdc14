// The connection of a page that looks on, until it is closed. Says once that the first blocks have come, then how many bytes when asked.
import { PROTOCOL_VERSION } from 'espalier/protocol'
import WebSocket from 'ws'

const [origin = '', token = ''] = process.argv.slice(2)
const socket = new WebSocket(`${origin.replace('http', 'ws')}/api/feed`, {
  headers: { authorization: `Bearer ${token}` },
})
let bytes = 0
let blocks = 0

socket.on('open', () => socket.send(JSON.stringify({ type: 'hello', protocol: PROTOCOL_VERSION })))
socket.on('message', (data: Buffer, isBinary) => {
  bytes += data.length
  if (!isBinary) return
  socket.send(JSON.stringify({ type: 'ack', block: data.readUInt32LE(0) }))
  if (blocks++ === 0) process.send?.('looks on')
})
socket.on('close', () => process.exit())
process.on('message', () => process.send?.(bytes))
