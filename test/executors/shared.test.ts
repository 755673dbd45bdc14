import { JobPool } from 'espalier'
import { createCommandExecutor } from 'espalier/executors/command'
import { createMachineExecutor } from 'espalier/executors/machine'
import { createProcessExecutor } from 'espalier/executors/process'
import { createThreadExecutor } from 'espalier/executors/thread'
import { describe, expect, test } from 'vitest'
import { fromPromise } from 'xstate'

const execute = { module: new URL('./fixtures/faults.ts', import.meta.url).href, export: 'wait' }
const command = { command: 'sleep', args: ['0.3'] }
const logic = fromPromise(() => new Promise((resolve) => setTimeout(resolve, 300)))

describe.each([
  ['thread', createThreadExecutor, { execute, args: [300] }],
  ['process', createProcessExecutor, { execute, args: [300] }],
  ['command', createCommandExecutor, { execute: command }],
  ['machine', createMachineExecutor, { execute: { logic } }],
])('an executor of two pools (%s)', (_, create, spec) => {
  test('loses what the one runs when the other is shut down, and runs it again', async () => {
    const executorType = create()
    const other = new JobPool({ executorType, pressure: false })
    await using pool = new JobPool({ executorType, pressure: false })
    await pool.submitJob(spec).value()
    const job = pool.submitJob(spec)
    await other.shutdown()
    expect(await job.result()).toMatchObject({ status: 'completed', attempts: 2 })
  })

  test('fails it as lost where it may not run again', async () => {
    const executorType = create()
    const other = new JobPool({ executorType, pressure: false })
    await using pool = new JobPool({ executorType, maxLost: 0, pressure: false })
    await pool.submitJob(spec).value()
    const job = pool.submitJob(spec)
    await other.shutdown()
    const result = await job.result()
    expect(result).toMatchObject({ status: 'failed', reason: 'lost' })
    expect(result.error?.message).toContain('its executor was closed by another pool')
  })
})
