import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { work } from '../../src/testing/contracts/executor-handlers.ts'

test('the work of the contract is its own, whatever other threads of the process take meanwhile', async () => {
  const burn = 'require("node:worker_threads").parentPort.postMessage("up"); for (;;) Math.sqrt(2)'
  const others = Array.from({ length: 3 }, () => new Worker(burn, { eval: true }))
  await Promise.all(others.map((other) => once(other, 'message')))
  const before = process.threadCpuUsage().user
  work()
  const tookMs = (process.threadCpuUsage().user - before) / 1_000
  await Promise.all(others.map((other) => other.terminate()))
  expect(tookMs).toBeGreaterThanOrEqual(30)
})
