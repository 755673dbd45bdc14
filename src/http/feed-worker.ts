import { parentPort, workerData } from 'node:worker_threads'
import { JobQueries } from './job-queries.ts'
import { JournalMaker } from './journal-maker.ts'
import type { Answer, FeedSettings, Question } from './worker-messages.ts'

// Makes the journal away from the pool's thread, and answers what is asked about it.

const { startedAt, executor, idPrefix } = workerData as FeedSettings
const maker = new JournalMaker(startedAt, executor)

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
