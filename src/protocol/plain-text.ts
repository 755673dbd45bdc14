/** How a text is read: without escape sequences and with every other control character as its picture. */
export function plainText(text: string): string {
  return text
    .replace(ESCAPES, '')
    .replace(CONTROLS, (char) => (char < ' ' ? String.fromCharCode(0x2400 + char.charCodeAt(0)) : '\u{fffd}'))
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g
// Line breaks and tabs stay; directional overrides could make a name read as another.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g
