/**
 * What is expected instead of an object with a field that nobody reads; `undefined` when all of its fields are known.
 *
 * @param expected - What the object must be, in words for an error text.
 */
export function refusesUnknown(
  expected: string,
  value: object,
  known: readonly string[],
): string | undefined {
  const unknown = Object.keys(value).find((field) => !known.includes(field))
  return unknown === undefined ? undefined : `${expected}, without \`${unknown}\``
}
