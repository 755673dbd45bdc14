import type { GraphBox, GraphEdge } from './boxes.tsx'

/** Which kinds depend on which as a table, for graphs that lead in circles: rows depend on columns. */
export function Matrix({ boxes, edges }: { boxes: readonly GraphBox[]; edges: readonly GraphEdge[] }) {
  const counts = new Map(edges.map(({ from, to, weight = 0 }) => [to * boxes.length + from, weight]))
  const most = Math.max(1, ...counts.values())
  return (
    <div
      class="table-room"
      tabIndex={0}
      role="region"
      aria-label="Kinds that depend on each other, to scroll"
    >
      <p class="muted">
        Kinds depend on each other in circles here: each row depends on the columns, so many times.
      </p>
      <table class="figures matrix">
        <thead>
          <tr>
            <th scope="col">Kind</th>
            {boxes.map(({ key, title }) => (
              <th key={key} scope="col" class="num">
                {title}
              </th>
            ))}
            <th scope="col" class="num">
              Jobs
            </th>
          </tr>
        </thead>
        <tbody>
          {boxes.map(({ key, title, lines, tone, href }, row) => (
            <tr key={key}>
              <th scope="row">
                <a class="link" href={href ?? ''}>
                  {title}
                </a>
              </th>
              {boxes.map(({ key: other }, column) => {
                const count = counts.get(row * boxes.length + column)
                return (
                  <td key={other} class="num" style={{ backgroundColor: shadeOf(count ?? 0, most) }}>
                    {count}
                  </td>
                )
              })}
              <td class={`num ${tone}`}>{lines.join(', ')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

const shadeOf = (count: number, most: number): string =>
  count === 0
    ? 'transparent'
    : `color-mix(in srgb, var(--accent) ${Math.round(6 + (count / most) * 26)}%, var(--surface))`
