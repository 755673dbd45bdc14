/** The known name that a mistyped one most likely meant; none when nothing is near. */
export function nearestName(given: string, known: Iterable<string>): string | undefined {
  if (given.length > LONGEST) return undefined
  let nearest: string | undefined
  let fewest = Number.POSITIVE_INFINITY
  for (const name of known) {
    const edits = editsBetween(given.toLowerCase(), name.toLowerCase())
    // A third of the letters may be wrong: with more, it would be a guess.
    if (edits >= fewest || edits > Math.max(given.length, name.length) / 3) continue
    fewest = edits
    nearest = name
  }
  return nearest
}

const LONGEST = 60

/** How many letters must be added, removed, replaced or swapped with their neighbour to make `b` of `a`. */
function editsBetween(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let row = 1; row <= a.length; row++) {
    const edits = [row]
    for (let column = 1; column <= b.length; column++) {
      const isSame = a[row - 1] === b[column - 1]
      const isSwapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      edits[column] = Math.min(
        (last[column] as number) + 1,
        (edits[column - 1] as number) + 1,
        (last[column - 1] as number) + (isSame ? 0 : 1),
        isSwapped ? (beforeLast[column - 2] as number) + 1 : Number.POSITIVE_INFINITY,
      )
    }
    beforeLast = last
    last = edits
  }
  return last[b.length] as number
}
