import { Icon } from './icons.tsx'

const STEP = 1.3

/** Buttons to zoom a picture with, for whoever has neither wheel nor keys at hand. */
export function ZoomTools({
  class: extra = '',
  onZoom,
  onFit,
}: {
  class?: string
  /** Told how many times larger the picture is to be. */
  onZoom: (times: number) => void
  onFit: () => void
}) {
  return (
    <div class={`zoom-tools ${extra}`} role="group" aria-label="Zoom">
      <button
        type="button"
        class="square"
        aria-label="Smaller"
        title="Smaller (−)"
        onClick={() => onZoom(1 / STEP)}
      >
        <Icon name="minus" size={13} />
      </button>
      <button type="button" class="square" aria-label="All of it" title="All of it (0)" onClick={onFit}>
        <Icon name="fit" size={13} />
      </button>
      <button
        type="button"
        class="square"
        aria-label="Larger"
        title="Larger (+)"
        onClick={() => onZoom(STEP)}
      >
        <Icon name="plus" size={13} />
      </button>
    </div>
  )
}
