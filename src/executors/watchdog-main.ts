// The process behind `Watchdog`: reads +<pid> and -<pid> from its stdin, and kills those groups when that ends.
import { createInterface } from 'node:readline'
import { signalGroup } from './process-group.ts'

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})

const groups = new Set<number>()
for await (const line of createInterface({ input: process.stdin })) {
  const leader = Number(line.slice(1))
  if (line.startsWith('+')) groups.add(leader)
  else groups.delete(leader)
}
for (const leader of groups) signalGroup(leader, 'SIGKILL')
