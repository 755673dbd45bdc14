import { ABSENT, STATE_NAMES } from '../model/job-states.ts'

/** The shape of each state, in a box of 12: told apart without colour. */
const SHAPES = [
  { d: 'M6 1.5L10.500 6 6 10.500 1.500 6z', isFilled: false },
  { d: 'M6 1.800a4.200 4.200 0 1 0 0 8.400 4.200 4.200 0 1 0 0-8.400z', isFilled: false },
  { d: 'M6 1.800a4.200 4.200 0 1 0 0 8.400 4.200 4.200 0 1 0 0-8.400zM6 3.500V6l2 1.200', isFilled: false },
  { d: 'M3 1.700l7.200 4.300L3 10.300z', isFilled: true },
  { d: 'M2.500 2.500h7v7h-7z', isFilled: true },
  { d: 'M2 6.300l2.800 2.900L10 3', isFilled: false },
  { d: 'M2.300 2.300l7.400 7.400M9.700 2.300l-7.400 7.400', isFilled: false },
  { d: 'M6 1.800a4.200 4.200 0 1 0 0 8.400 4.200 4.200 0 1 0 0-8.400zM3 9l6-6', isFilled: false },
] as const

export const stateName = (state: number): string =>
  state === ABSENT ? 'not yet' : (STATE_NAMES[state] ?? '?')

/** The shape of a state in its colour. */
export function StateMark({ state, size = 12 }: { state: number; size?: number }) {
  const shape = SHAPES[state]
  if (shape === undefined) return null
  return (
    <svg
      class={`mark s-${STATE_NAMES[state]}`}
      viewBox="0 0 12 12"
      width={size}
      height={size}
      aria-hidden="true"
    >
      <path d={shape.d} fill={shape.isFilled ? 'currentColor' : 'none'} />
    </svg>
  )
}

/** A state in shape, colour and word. */
export function StateLabel({ state, name = stateName(state) }: { state: number; name?: string }) {
  return (
    <span class="state">
      <StateMark state={state} />
      <span class="ellipsis">{name}</span>
    </span>
  )
}
