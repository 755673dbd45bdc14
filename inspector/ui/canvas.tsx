import type { CanvasHTMLAttributes } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { isDark } from '../state/theme.ts'
import { type Palette, readPalette } from './palette.ts'

/** What a painter gets: a cleared canvas, its size in CSS pixels, and the colours of the theme. */
export interface Surface {
  readonly context: CanvasRenderingContext2D
  readonly width: number
  readonly height: number
  /** Device pixels per CSS pixel. */
  readonly ratio: number
  readonly palette: Palette
  /** Pixels to fill and put back, empty; the same ones for each frame. */
  raster(width: number, height: number): Raster
}

export interface Raster {
  readonly image: ImageData
  readonly pixels: Uint32Array
}

interface Props extends Omit<CanvasHTMLAttributes<HTMLCanvasElement>, 'ref'> {
  /** Called when it has changed, and for a new size or theme; at most once a frame, and only while it can be seen. */
  readonly paint: (surface: Surface) => void
  /** What the painter depends on: another one, and it is painted again. */
  readonly version: unknown
  readonly onReady?: (canvas: HTMLCanvasElement) => void
}

/** A canvas that fills its parent, sharp on every screen. */
export function Canvas({ paint, version, onReady, ...rest }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const painter = useRef(paint)
  painter.current = paint
  const ask = useRef(() => {})

  useEffect(() => {
    const element = canvas.current!
    const context = element.getContext('2d')!
    let palette: Palette | undefined
    let dark: boolean | undefined
    let frame = 0
    let kept: Raster | undefined
    const raster = (width: number, height: number): Raster => {
      if (kept?.image.width === width && kept.image.height === height) kept.pixels.fill(0)
      else {
        const image = context.createImageData(width, height)
        kept = { image, pixels: new Uint32Array(image.data.buffer) }
      }
      return kept
    }
    const draw = () => {
      frame = 0
      const { clientWidth: width, clientHeight: height } = element
      if (width === 0 || height === 0) return
      const ratio = Math.min(3, devicePixelRatio || 1)
      const [deviceWidth, deviceHeight] = [Math.round(width * ratio), Math.round(height * ratio)]
      if (element.width !== deviceWidth || element.height !== deviceHeight) {
        element.width = deviceWidth
        element.height = deviceHeight
      }
      if (palette === undefined || dark !== isDark.peek()) {
        dark = isDark.peek()
        palette = readPalette(element.parentElement ?? document.body)
      }
      context.setTransform(ratio, 0, 0, ratio, 0, 0)
      context.clearRect(0, 0, width, height)
      painter.current({ context, width, height, ratio, palette, raster })
    }
    ask.current = () => {
      if (frame === 0) frame = requestAnimationFrame(draw)
    }
    const sizes = new ResizeObserver(() => ask.current())
    sizes.observe(element)
    const unsubscribe = isDark.subscribe(() => ask.current())
    onReady?.(element)
    return () => {
      cancelAnimationFrame(frame)
      sizes.disconnect()
      unsubscribe()
    }
  }, [])
  useEffect(() => ask.current(), [version])
  return <canvas {...rest} ref={canvas} />
}
