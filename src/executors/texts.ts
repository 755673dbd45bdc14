/** The system ends every text at a NUL: what follows would be lost. */
export const isText = (value: unknown): value is string => typeof value === 'string' && !value.includes('\0')

/** Whether an environment can have a variable of this name. */
export const isVariableName = (value: unknown): value is string =>
  isText(value) && value !== '' && !value.includes('=')

/** Whether it is an array of which all are such: `every` would pass over holes. */
export const isListOf = (value: unknown, isItem: (item: unknown) => boolean): value is readonly unknown[] =>
  Array.isArray(value) && Array.from(value).every(isItem)
