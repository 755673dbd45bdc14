import { setTimeout } from 'node:timers/promises'
import { defineWorkflow, grow, type HandlerContext, node, satisfy } from 'espalier'

/** Counts down from 20, a step every half second: long enough to be killed on the way, and resumed. */
export default defineWorkflow({
  name: 'countdown',
  handlers: {
    wait: async (seconds: number, { signal }: HandlerContext) => {
      await setTimeout(500, undefined, { signal })
      return seconds
    },
  },
  root: () => node({ handler: 'wait', label: '20', input: 20 }),
  expand: ({ result }) => {
    const next = (result.value as number) - 1
    return next < 0
      ? satisfy('lift-off')
      : grow([node({ handler: 'wait', label: String(next), input: next })])
  },
})
