import { useSignal } from '@preact/signals'
import type { CappedValue } from '../../../src/protocol/index.ts'
import { formatCount, plainText } from '../../model/format.ts'
import { getJson } from '../../source/api.ts'
import { toast } from '../../state/toasts.ts'

/** The server says `undefined` as a text, for JSON has no word for it. */
const NOTHING: ReadonlySet<string> = new Set(['', 'null', '[]', '"undefined"'])

/** A value as JSON, cut to a size; the rest on demand. */
export function Value({
  title,
  path,
  field,
  value,
}: {
  title: string
  path: string
  field: string
  value: CappedValue | undefined
}) {
  const whole = useSignal<CappedValue | undefined>(undefined)
  const shown = whole.value ?? value
  if (shown === undefined || NOTHING.has(shown.text)) return null
  const fetchAll = async () => {
    try {
      const body = await getJson<Record<string, CappedValue>>(`${path}?full=1`)
      whole.value = body[field]
    } catch (error) {
      toast('failed', String(error))
    }
  }
  return (
    <section class="drawer-part">
      <h3>{title}</h3>
      <pre tabIndex={0}>{plainText(indented(shown))}</pre>
      {shown.isCut && (
        <p class="muted">
          {formatCount(shown.text.length)} of {formatCount(shown.length)} characters.{' '}
          {whole.value === undefined && (
            <button type="button" class="link" onClick={() => void fetchAll()}>
              Show all
            </button>
          )}
        </p>
      )}
    </section>
  )
}

function indented({ text, isCut }: CappedValue): string {
  if (isCut) return text
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}
