import { EspalierError } from './errors.ts'

/** Refuses anything but a finite number, 0 or more. Durations are ms and may exceed 2³¹. */
export function checkDuration(option: string, value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value
  throw new EspalierError('ESP_INVALID_OPTION', {
    option,
    expected: 'a finite number, 0 or more',
    got: value,
  })
}

/** Refuses anything but a finite number above 0, for durations that leave no room for "at once". */
export function checkPositive(option: string, value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value
  throw new EspalierError('ESP_INVALID_OPTION', { option, expected: 'a finite number above 0', got: value })
}

/** Refuses anything but a safe whole number from `least` up. */
export function checkInteger(option: string, value: unknown, least = 0): number {
  if (Number.isSafeInteger(value) && (value as number) >= least) return value as number
  throw new EspalierError('ESP_INVALID_OPTION', {
    option,
    expected: `a whole number of at least ${least}`,
    got: value,
  })
}

/**
 * Refuses anything but a non-empty string of at most `longest` characters: no file keeps half of one, no program takes NUL as an
 * argument.
 */
export function checkName(option: string, value: unknown, longest = 200): string {
  const isText = typeof value === 'string' && value.isWellFormed() && !value.includes('\0')
  if (isText && value !== '' && value.length <= longest) return value
  throw new EspalierError('ESP_INVALID_OPTION', {
    option,
    expected: `a non-empty string of at most ${longest} characters, each of them whole and none NUL`,
    got: value,
  })
}

/** Refuses anything but a string, which may be empty. */
export function checkString(option: string, value: unknown): string {
  if (typeof value === 'string') return value
  throw new EspalierError('ESP_INVALID_OPTION', { option, expected: 'a string', got: value })
}

/** Refuses anything but an object with fields: an array or a Map has none that are read. */
export function checkObject<Value extends object>(option: string, value: Value): Value {
  if (typeof value === 'object' && value !== null && !(Symbol.iterator in value)) return value
  throw new EspalierError('ESP_INVALID_OPTION', { option, expected: 'an object', got: value })
}

/**
 * Refuses names that nobody reads: a mistyped one would be lost in silence otherwise.
 *
 * @param of - What has these names, such as `job`.
 */
export function checkKeys(of: string, value: object, known: ReadonlySet<string>): void {
  for (const option in value) {
    if (!known.has(option)) throw new EspalierError('ESP_UNKNOWN_OPTION', { of, option, known: [...known] })
  }
}

/** Refuses anything but `true` or `false`. */
export function checkBoolean(option: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value
  throw new EspalierError('ESP_INVALID_OPTION', { option, expected: 'true or false', got: value })
}

/** Refuses anything but an object that has all these methods. */
export function checkMethods<Value extends object>(
  option: string,
  value: Value,
  methods: readonly (keyof Value & string)[],
): Value {
  const isComplete = methods.every((method) => typeof value?.[method] === 'function')
  if (isComplete) return value
  const names = methods.map((method) => `${method}()`).join(', ')
  const expected = `an object with the methods ${names}`
  throw new EspalierError('ESP_INVALID_OPTION', { option, expected, got: value })
}
