const SIGNS = [
  ['done', 'bg-completed'],
  ['running', 'bg-executing'],
  ['retried', 'bg-retried striped'],
  ['failed', 'bg-failed notched'],
  ['cancelled', 'bg-cancelled dotted'],
  ['zombie', 'hatched'],
] as const

/** What the colours and patterns of attempts mean. */
export function LanesKey() {
  return (
    <ul class="key">
      {SIGNS.map(([word, tone]) => (
        <li key={word}>
          <i class={`swatch ${tone}`} />
          {word}
        </li>
      ))}
    </ul>
  )
}
