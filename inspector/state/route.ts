import { computed, signal } from '@preact/signals'

export const VIEWS = [
  'overview',
  'tree',
  'graph',
  'timeline',
  'machines',
  'jobs',
  'events',
  'metrics',
  'compare',
] as const
export type View = (typeof VIEWS)[number]

/** What an address tells: which view, and what it shows. */
export interface Route {
  readonly view: View
  readonly params: Readonly<Record<string, string>>
}

/** Reads the fragment of an address; what it does not know it leaves out. */
export function parseHash(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2)
  const view = VIEWS.find((name) => name === path) ?? 'overview'
  return { view, params: Object.fromEntries(new URLSearchParams(query)) }
}

export function formatHash({ view, params }: Route): string {
  const query = new URLSearchParams(Object.entries(params).filter(([, value]) => value !== '')).toString()
  return `#/${view}${query === '' ? '' : `?${query}`}`
}

/** These stay when the view changes: one selection and one instant for all views. */
const SHARED = ['job', 'at']

export const route = signal<Route>(parseHash(''))
export const view = computed(() => route.value.view)
/** The id of the job in the drawer; `''` for none. */
export const selectedId = computed(() => route.value.params.job ?? '')

export function startRouting(): void {
  const read = () => {
    route.value = parseHash(location.hash)
  }
  addEventListener('hashchange', read)
  read()
}

/** The address of a view, with the selection of this moment. */
export function hrefOf(target: View, params: Record<string, string> = {}): string {
  const shared = SHARED.flatMap((name) => {
    const value = route.value.params[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return formatHash({ view: target, params: { ...Object.fromEntries(shared), ...params } })
}

export function go(target: View, params: Record<string, string> = {}): void {
  location.hash = hrefOf(target, params)
}

/**
 * Changes parameters of this view; `''` removes one. Without a new entry in the history, unless it is a step of its own.
 *
 * A link may have been followed whose event is yet to come: the address is where it leads to by then, and what the view
 * before still has to say of itself is dropped.
 */
export function setParams(params: Record<string, string>, { isStep = false } = {}): void {
  const now = parseHash(location.hash)
  const isHere = isStep || now.view === route.value.view
  const changed = Object.entries(params).filter(([name]) => isHere || SHARED.includes(name))
  const hash = formatHash({ view: now.view, params: { ...now.params, ...Object.fromEntries(changed) } })
  if (hash === location.hash) return
  if (isStep) location.hash = hash
  else {
    history.replaceState(null, '', hash)
    route.value = parseHash(hash)
  }
}

export const selectJob = (id: string): void => setParams({ job: id }, { isStep: true })
