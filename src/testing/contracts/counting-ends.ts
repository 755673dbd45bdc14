import type { Executor } from '../../ports/executor.ts'

/**
 * The executor, with the reports of each attempt's end counted.
 *
 * @param endings - By job and attempt, how often its end was reported.
 */
export function countingEnds(executor: Executor, endings: Map<string, number>): Executor {
  return new Proxy(executor, {
    get(target, key) {
      const value = Reflect.get(target, key)
      if (typeof value !== 'function') return value
      if (key !== 'start') return value.bind(target)
      const start: Executor['start'] = (attempt, sink) => {
        const count = () => {
          const name = `${attempt.jobId} ${attempt.attempt}`
          endings.set(name, (endings.get(name) ?? 0) + 1)
        }
        target.start(attempt, {
          completed(...report) {
            count()
            sink.completed(...report)
          },
          failed(...report) {
            count()
            sink.failed(...report)
          },
          lost(...report) {
            count()
            sink.lost(...report)
          },
          rejected(...report) {
            count()
            sink.rejected(...report)
          },
          output: (...report) => sink.output(...report),
        })
      }
      return start
    },
  })
}
