const WORD = 2 ** 32
/** Bits that one pass puts in order. */
const DIGIT_BITS = 11
const DIGITS = 2 ** DIGIT_BITS

/**
 * The places of numbers, in ascending order of the numbers. Those that are equal keep the order they had: so places that were put in
 * order by one thing can be put in order by another, and what is equal in that stays in order by the first.
 *
 * @param keys - Whole numbers, less than 2 ** 53 apart.
 * @param places - Those to put in order; all of them by default.
 */
export function inOrder(keys: Float64Array, places: Uint32Array = placesOf(keys.length)): Uint32Array {
  let least = Number.POSITIVE_INFINITY
  let most = Number.NEGATIVE_INFINITY
  for (let place = 0; place < keys.length; place++) {
    const key = keys[place] as number
    if (key < least) least = key
    if (key > most) most = key
  }
  const range = most - least
  const words = new Uint32Array(keys.length)
  for (let place = 0; place < keys.length; place++) words[place] = ((keys[place] as number) - least) >>> 0
  const byLow = inOrderOf(words, range < WORD ? range : WORD - 1, places)
  if (range < WORD) return byLow
  for (let place = 0; place < keys.length; place++) words[place] = ((keys[place] as number) - least) / WORD
  return inOrderOf(words, range / WORD, byLow)
}

function inOrderOf(words: Uint32Array, most: number, places: Uint32Array): Uint32Array {
  let from = places
  let to: Uint32Array = new Uint32Array(places.length)
  for (let shift = 0; shift < 32 && most >>> shift > 0; shift += DIGIT_BITS) {
    const starts = new Uint32Array(DIGITS + 1)
    for (let place = 0; place < words.length; place++) {
      starts[(((words[place] as number) >>> shift) & (DIGITS - 1)) + 1]!++
    }
    for (let digit = 1; digit <= DIGITS; digit++) starts[digit]! += starts[digit - 1]!
    for (let index = 0; index < from.length; index++) {
      const place = from[index] as number
      to[starts[((words[place] as number) >>> shift) & (DIGITS - 1)]!++] = place
    }
    ;[from, to] = [to, from === places ? new Uint32Array(places.length) : from]
  }
  return from
}

function placesOf(count: number): Uint32Array {
  const places = new Uint32Array(count)
  for (let place = 0; place < count; place++) places[place] = place
  return places
}
