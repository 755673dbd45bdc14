import { STATE_NAMES } from '../model/job-states.ts'

/** A colour of the theme, as CSS and as a pixel of an `ImageData` seen as `Uint32Array`. */
export interface Paint {
  readonly css: string
  readonly pixel: number
}

export interface Palette {
  /** By the number of the state. */
  readonly states: readonly Paint[]
  readonly retried: Paint
  readonly wait: Paint
  readonly surface: Paint
  readonly surface2: Paint
  readonly line: Paint
  readonly lineStrong: Paint
  readonly text: Paint
  readonly muted: Paint
  readonly accent: Paint
  readonly accentSoft: Paint
  readonly playhead: Paint
}

/** The custom properties of the theme, without the `--`. */
const NAMES: Readonly<Record<Exclude<keyof Palette, 'states'>, string>> = {
  retried: 's-retried',
  wait: 'wait',
  surface: 'surface',
  surface2: 'surface-2',
  line: 'line',
  lineStrong: 'line-strong',
  text: 'text',
  muted: 'muted',
  accent: 'accent',
  accentSoft: 'accent-soft',
  playhead: 'playhead',
}

/** Reads the colours of the theme that an element has. */
export function readPalette(element: Element): Palette {
  const keys = Object.keys(NAMES)
  const paints = readPaints(element, [...Object.values(NAMES), ...STATE_NAMES.map((name) => `s-${name}`)])
  const named = Object.fromEntries(keys.map((key, place) => [key, paints[place]]))
  return { ...named, states: paints.slice(keys.length) } as unknown as Palette
}

/**
 * Reads custom properties, named without the `--`, that an element has as colours.
 *
 * They are resolved by probes, so any notation will do; all at once, so that the browser works styles out once.
 */
export function readPaints(element: Element, names: readonly string[]): Paint[] {
  const box = document.createElement('span')
  box.hidden = true
  // Colours that the reader forces on text are all the same one: they would tell no state.
  box.style.setProperty('forced-color-adjust', 'none')
  const probes = names.map((name) => {
    const probe = document.createElement('span')
    probe.style.color = `var(--${name})`
    return probe
  })
  box.append(...probes)
  element.append(box)
  const paints = probes.map((probe) => paintOf(getComputedStyle(probe).color))
  box.remove()
  return paints
}

function paintOf(css: string): Paint {
  const [red = 0, green = 0, blue = 0] = (css.match(/[\d.]+/g) ?? []).map(Number)
  return { css, pixel: pixelOf(red, green, blue) }
}

const isLittleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1

function pixelOf(red: number, green: number, blue: number): number {
  return (
    (isLittleEndian
      ? (255 << 24) | (blue << 16) | (green << 8) | red
      : (red << 24) | (green << 16) | (blue << 8) | 255) >>> 0
  )
}
