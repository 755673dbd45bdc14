/** A part of an axis. */
export interface Span {
  readonly from: number
  readonly to: number
}

const PATTERN = /^(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)$/

/** A span as an address tells it, counted from `origin`, to the thousandth: `1200.5-3400`. */
export function formatSpan(span: Span | undefined, origin: number): string {
  if (span === undefined) return ''
  const told = (at: number) => Math.round(Math.max(0, at - origin) * 1000) / 1000
  const [from, to] = [told(Math.min(span.from, span.to)), told(Math.max(span.from, span.to))]
  return from < to ? `${from}-${to}` : ''
}

/** What an address tells; `undefined` for what is no span. */
export function parseSpan(text: string, origin: number): Span | undefined {
  const [, from, to] = PATTERN.exec(text) ?? []
  const span = { from: origin + Number(from), to: origin + Number(to) }
  return span.to > span.from && Number.isFinite(span.to) ? span : undefined
}
