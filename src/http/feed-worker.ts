import { parentPort, workerData } from 'node:worker_threads'
import type { Description } from '../diagram/describe.ts'
import type { Chart } from '../protocol/chart.ts'
import { JobQueries } from './job-queries.ts'
import { JournalMaker } from './journal-maker.ts'
import type { Answer, FeedSettings, Question } from './worker-messages.ts'

// Makes the journal away from the pool's thread, and answers what is asked about it.

const { startedAt, executor, idPrefix } = workerData as FeedSettings
const maker = new JournalMaker(startedAt, executor)

/** Loads the layout engine when the first chart is asked for. */
async function layOut(machine: string, description: Description): Promise<Chart> {
  const { layOutDescription } = await import('../diagram/layout.ts')
  return layOutDescription(machine, description)
}

parentPort?.on('message', (question: Question) => {
  const reply = (answer: Answer, transfer: ArrayBuffer[] = []) => parentPort?.postMessage(answer, transfer)
  if (question.type === 'chunk') {
    maker.take(question.chunk)
    return
  }
  if (question.type === 'cut') {
    const block = maker.cut()
    reply({ type: 'block', block }, block === undefined ? [] : [block.buffer])
    return
  }
  if (question.type === 'layout') {
    const { id, machine, description } = question
    layOut(machine, description).then(
      (result) => reply({ type: 'found', id, result }),
      (error: Error) => reply({ type: 'failed', id, message: error.message }),
    )
    return
  }
  try {
    reply({
      type: 'found',
      id: question.id,
      result: new JobQueries(maker.model, idPrefix).answer(question.query),
    })
  } catch (error) {
    reply({ type: 'failed', id: question.id, message: (error as Error).message })
  }
})
