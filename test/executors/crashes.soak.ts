import { test } from 'vitest'
import { expectNothingLeft } from './crashes.ts'

// The default tests let fewer of them crash, and as many commands: starting a thread takes 50 ms, a process 150 ms.
test.each(['thread', 'process'])(
  'after 1,000 crashed attempts of the %s executor nothing is left',
  (executorType) => expectNothingLeft(executorType, 1_000),
  1_800_000,
)
