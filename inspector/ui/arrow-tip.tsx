/** The tip of an arrow, for lines that name it as their `marker-end`. */
export function ArrowTip({
  id,
  class: name = 'arrow',
  size = 7,
  isAsWideAsLine = false,
}: {
  id: string
  class?: string
  /** Of both sides; in CSS pixels, or in widths of the line. */
  size?: number
  isAsWideAsLine?: boolean
}) {
  return (
    <marker
      id={id}
      viewBox="0 0 8 8"
      refX="7"
      refY="4"
      markerWidth={size}
      markerHeight={size}
      orient="auto"
      markerUnits={isAsWideAsLine ? 'strokeWidth' : 'userSpaceOnUse'}
    >
      <path d="M0 0.500L8 4 0 7.500z" class={name} />
    </marker>
  )
}
