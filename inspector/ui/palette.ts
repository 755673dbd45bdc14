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

/** Reads the colours of the theme that an element has; custom properties are resolved by a probe, so any notation will do. */
export function readPalette(element: Element): Palette {
  const probe = document.createElement('span')
  probe.hidden = true
  element.append(probe)
  const style = getComputedStyle(probe)
  const paint = (name: string): Paint => {
    probe.style.color = `var(--${name})`
    const [red = 0, green = 0, blue = 0] = (style.color.match(/[\d.]+/g) ?? []).map(Number)
    return { css: style.color, pixel: pixelOf(red, green, blue) }
  }
  const palette: Palette = {
    states: STATE_NAMES.map((name) => paint(`s-${name}`)),
    retried: paint('s-retried'),
    wait: paint('wait'),
    surface: paint('surface'),
    surface2: paint('surface-2'),
    line: paint('line'),
    lineStrong: paint('line-strong'),
    text: paint('text'),
    muted: paint('muted'),
    accent: paint('accent'),
    accentSoft: paint('accent-soft'),
    playhead: paint('playhead'),
  }
  probe.remove()
  return palette
}

const isLittleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1

function pixelOf(red: number, green: number, blue: number): number {
  return (
    (isLittleEndian
      ? (255 << 24) | (blue << 16) | (green << 8) | red
      : (red << 24) | (green << 16) | (blue << 8) | 255) >>> 0
  )
}
