const float64 = new Float64Array(1)
const float32 = new Float32Array(float64.buffer, 0, 1)
const bits = new Int32Array(float64.buffer)

/** The two words that a float64 is made of. */
export function bitsOfFloat64(value: number): [first: number, second: number] {
  float64[0] = value
  return [bits[0] as number, bits[1] as number]
}

export function float64Of(first: number, second: number): number {
  bits[0] = first
  bits[1] = second
  return float64[0] as number
}

/** The word that a number is as a float32. */
export function bitsOfFloat32(value: number): number {
  float32[0] = value
  return bits[0] as number
}

export function float32Of(word: number): number {
  bits[0] = word
  return float32[0] as number
}
