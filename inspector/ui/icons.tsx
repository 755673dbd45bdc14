/** Icons of 24 × 24, as the `d` of their strokes. */
const PATHS = {
  overview: 'M4 5h7v6H4zM13 5h7v4h-7zM13 11h7v8h-7zM4 13h7v6H4z',
  tree: 'M6 4v16M6 8h6M6 16h6M12 6h7v4h-7zM12 14h7v4h-7z',
  graph:
    'M6 9a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM6 20a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM18 14.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5zM8.400 7.500l7.200 3.500M8.400 16.500l7.200-3.500',
  timeline: 'M4 6h9M8 12h11M5 18h8M16 18h3',
  machines:
    'M4 5h6v5H4zM14 14h6v5h-6zM10 7.500h4.500a2.500 2.500 0 0 1 2.500 2.500v4M17 14l-2-2.500M17 14l2-2.500',
  jobs: 'M4 6h3M10 6h10M4 12h3M10 12h10M4 18h3M10 18h10',
  events: 'M5 4v16M5 7h5M5 12h9M5 17h6M16 7h3M18 17h1',
  metrics: 'M4 20V4M4 20h16M8 16l4-5 3 3 5-7',
  compare: 'M9 4v16H4V4zM20 4v16h-5V4z',
  play: 'M7 5l12 7-12 7z',
  pause: 'M8 5v14M16 5v14',
  back: 'M18 6l-8 6 8 6zM7 6v12',
  forward: 'M6 6l8 6-8 6zM17 6v12',
  close: 'M6 6l12 12M18 6L6 18',
  search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l4.500 4.500',
  theme: 'M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16zM12 4v16M12 8l5-2M12 12l8-1M12 16l7 0',
  help: 'M9 9a3 3 0 1 1 4.500 2.600c-1 .600-1.500 1.200-1.500 2.400M12 18v.200',
  chevron: 'M9 6l6 6-6 6',
  down: 'M6 9l6 6 6-6',
  download: 'M12 4v11M7 11l5 5 5-5M5 20h14',
  grew: 'M12 20V9M12 9L8 13M12 9l4 4M6 4h12',
  fit: 'M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5',
  plus: 'M12 5v14M5 12h14',
  minus: 'M5 12h14',
  warn: 'M12 4l9 16H3zM12 10v4M12 17v.200',
  copy: 'M8 8h11v11H8zM5 16V5h11',
} as const

export type IconName = keyof typeof PATHS

/** An icon beside words, which say the same: readers of the screen skip it. */
export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" width={size} height={size} aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  )
}
