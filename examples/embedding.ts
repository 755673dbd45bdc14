import { type HandlerContext, JobPool } from 'espalier'

await using pool = new JobPool({ maxParallelJobs: 1, backoff: { type: 'fixed', delayMs: 50 } })
pool.on('job.started', ({ jobId, attempt }) => console.log(`started ${jobId}, attempt ${attempt}`))

const fetchRate = async ({ attempt }: HandlerContext) => {
  if (attempt === 1) throw new Error('the service is away')
  return 1.5
}
const sum = (currency: string, { parentResults }: HandlerContext) => {
  const { prices, rate } = parentResults as { prices: number[]; rate: number }
  return `${prices.reduce((total, price) => total + price) * rate} ${currency}`
}

const prices = pool.submitJob({ id: 'prices', execute: async () => [3, 1, 2] })
pool.submitJob({ id: 'cleanup', priority: 'low', execute: () => 'clean' })
const rate = pool.submitJob({ id: 'rate', priority: 'high', maxRetries: 2, execute: fetchRate })
const total = pool.submitJob({ id: 'total', dependencies: [prices, rate], args: ['EUR'], execute: sum })

console.log(`total ${await total.value()}, rate after ${(await rate.result()).attempts} attempts`)
