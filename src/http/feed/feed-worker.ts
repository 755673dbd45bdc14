import { parentPort, workerData } from 'node:worker_threads'
import type { Description } from '../../diagram/describe.ts'
import type { Chart } from '../../protocol/chart.ts'
import { JournalMaker } from '../notes/journal-maker.ts'
import type { JobQueries } from '../queries/job-queries.ts'
import { letOthersGoFirst } from './thread-priority.ts'
import type { Answer, FeedSettings, Question } from './worker-messages.ts'

// Makes the journal away from the pool's thread, and answers what is asked about it.

letOthersGoFirst()

const { startedAt, executor, idPrefix } = workerData as FeedSettings
const maker = new JournalMaker(startedAt, executor)
let queries: JobQueries | undefined

/** Folds the journal when the first question comes: a page folds for itself. */
async function answer({ query, blocks }: Question & { type: 'query' }): Promise<unknown> {
  const { JobQueries } = await import('../queries/job-queries.ts')
  queries ??= new JobQueries(idPrefix)
  for (const block of blocks) queries.take(block)
  return queries.answer(query)
}

/** Loads the layout engine when the first chart is asked for. */
async function layOut(machine: string, description: Description): Promise<Chart> {
  const { layOutDescription } = await import('../../diagram/layout.ts')
  return layOutDescription(machine, description)
}

const tell = (answer: Answer, transfer: ArrayBuffer[] = []) => parentPort?.postMessage(answer, transfer)

function tellResult(id: number, found: Promise<unknown>): void {
  found.then(
    (result) => tell({ type: 'found', id, result }),
    (error: Error) => tell({ type: 'failed', id, message: error.message }),
  )
}

parentPort?.on('message', (question: Question) => {
  switch (question.type) {
    case 'cut': {
      maker.take(question.chunks)
      const blocks = maker.takeAll()
      tell(
        { type: 'blocks', blocks },
        blocks.map(({ bytes }) => bytes.buffer),
      )
      return
    }
    case 'query':
      tellResult(question.id, answer(question))
      return
    case 'layout':
      tellResult(question.id, layOut(question.machine, question.description))
  }
})
