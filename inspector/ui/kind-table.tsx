import { formatCount, formatDuration, plainText } from '../model/format.ts'
import type { KindFigures } from '../model/range.ts'

/** Attempts by kind: how many, how long they ran and waited, and the job that took longest. */
export function KindTable({
  figures,
  nameOf,
  onJob,
}: {
  figures: readonly KindFigures[]
  nameOf: (job: number) => string
  onJob?: (job: number) => void
}) {
  return (
    <div class="table-room" tabIndex={0} role="region" aria-label="By kind">
      <table class="figures">
        <thead>
          <tr>
            <th scope="col">Kind</th>
            {[
              'Attempts',
              'Failed',
              'Retried',
              'Mean',
              'p50',
              'p95',
              'Longest',
              'Wait p50',
              'Wait p95',
              'Work',
            ].map((title) => (
              <th key={title} scope="col" class="num">
                {title}
              </th>
            ))}
            <th scope="col">Longest job</th>
          </tr>
        </thead>
        <tbody>
          {figures.map((each) => (
            <tr key={each.kind}>
              <th scope="row">{plainText(each.kind) || 'without a name'}</th>
              <td class="num">{formatCount(each.attempts)}</td>
              <td class={each.failed > 0 ? 'num s-failed' : 'num'}>{formatCount(each.failed)}</td>
              <td class="num">{formatCount(each.retried)}</td>
              {[
                each.meanMs,
                each.p50Ms,
                each.p95Ms,
                each.maxMs,
                each.waitP50Ms,
                each.waitP95Ms,
                each.busyMs,
              ].map((ms, index) => (
                <td key={index} class="num">
                  {formatDuration(ms)}
                </td>
              ))}
              <td>
                {each.longest >= 0 && onJob !== undefined ? (
                  <button type="button" class="link" onClick={() => onJob(each.longest)}>
                    {nameOf(each.longest)}
                  </button>
                ) : (
                  each.longest >= 0 && nameOf(each.longest)
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
