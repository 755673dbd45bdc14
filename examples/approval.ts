import { JobPool } from 'espalier'
import { setup, waitFor } from 'xstate'

const approval = setup({
  types: {
    context: {} as { what: string },
    input: {} as { what: string },
    events: {} as { type: 'approve'; by: string } | { type: 'reject'; by: string },
    output: {} as string,
  },
}).createMachine({
  context: ({ input }) => input,
  initial: 'waiting',
  states: {
    waiting: { on: { approve: 'approved', reject: 'rejected' } },
    approved: { type: 'final', output: 'approved' },
    rejected: { type: 'final', output: 'rejected' },
  },
  output: ({ event, context }) => `${context.what}: ${event.output}`,
})

await using pool = new JobPool()
const execute = { logic: approval, input: { what: 'deploy 1.2' } }
const job = pool.submitJob({ id: 'deploy', executor: 'machine', execute })

await waitFor(job, (snapshot) => snapshot.matches('running'))
const body = job.body?.getSnapshot()
console.log(body?.value, body?.context)
pool.job('deploy')?.send({ type: 'approve', by: 'ada' })
console.log(await job.value())
