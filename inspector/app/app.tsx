import { effect, signal } from '@preact/signals'
import type { ComponentType } from 'preact'
import { selectedId, selectJob, type View, view } from '../state/route.ts'
import { connection, header, store } from '../state/session.ts'
import { Icon } from '../ui/icons.tsx'
import { Empty } from '../ui/parts.tsx'
import { Overview } from '../views/overview/overview.tsx'
import { Announcer } from './announcer.tsx'
import { Banner } from './banner.tsx'
import { Dialogs } from './dialogs.tsx'
import { Rail } from './rail.tsx'
import { TimeBar } from './time-bar.tsx'
import { TokenForm } from './token-form.tsx'
import { TopBar } from './top-bar.tsx'

type Loader = () => Promise<ComponentType>

/** The views but the first are loaded when they are first shown. */
const LAZY: Readonly<Record<Exclude<View, 'overview'>, Loader>> = {
  tree: async () => (await import('../views/tree/tree-view.tsx')).TreeView,
  graph: async () => (await import('../views/graph/graph-view.tsx')).GraphView,
  timeline: async () => (await import('../views/timeline/timeline-view.tsx')).TimelineView,
  machines: async () => (await import('../views/machines/machines-view.tsx')).MachinesView,
  jobs: async () => (await import('../views/jobs/jobs-view.tsx')).JobsView,
  events: async () => (await import('../views/events/events-view.tsx')).EventsView,
  metrics: async () => (await import('../views/metrics/metrics-view.tsx')).MetricsView,
  compare: async () => (await import('../views/compare/compare-view.tsx')).CompareView,
}
const DRAWER: Loader = async () => (await import('../views/job-drawer/job-drawer.tsx')).JobDrawer

/** How long the page is live before it loads the views that nobody has opened yet, in ms: what is seen comes first. */
const LOADED_AFTER_MS = 2_000

const loaded = signal<ReadonlyMap<Loader, ComponentType>>(new Map())
const failed = signal<ReadonlySet<Loader>>(new Set())
const asked = new Set<Loader>()

export function App() {
  const isStale = ['lost', 'silent'].includes(connection.value.kind)
  return (
    <>
      <button type="button" class="skip" onClick={skipToMain}>
        Skip to the view
      </button>
      <div class="shell">
        <TopBar />
        <Rail />
        <div class="middle">
          <Banner />
          <main id="main" tabIndex={-1} class={isStale ? 'stale' : ''} aria-busy={store.value === undefined}>
            <CurrentView />
          </main>
        </div>
        {selectedId.value !== '' && store.value !== undefined && <Drawer />}
        <TimeBar />
      </div>
      <Dialogs />
      <Announcer />
    </>
  )
}

function CurrentView() {
  const { kind } = connection.value
  if (kind === 'locked') return <TokenForm />
  if (kind === 'refused') return <Refused />
  if (kind === 'stately') return <Lazy load={STATELY} />
  // The view that compares can do without a recording of its own.
  if (store.value === undefined && view.value !== 'compare') return <Skeleton />
  if (view.value === 'overview') return <Overview />
  return <Lazy key={view.value} load={LAZY[view.value]} />
}

const STATELY: Loader = async () => (await import('../views/stately/stately-view.tsx')).StatelyView

/** The job beside whatever view: it can be closed also while its code is not here. */
function Drawer() {
  return (
    <aside class="drawer" aria-label="Selected job">
      <button
        type="button"
        class="plain square drawer-close"
        aria-label="Close the job"
        title="Close (Esc)"
        onClick={() => selectJob('')}
      >
        <Icon name="close" />
      </button>
      <Lazy load={DRAWER} />
    </aside>
  )
}

function Lazy({ load }: { load: Loader }) {
  const Loaded = loaded.value.get(load)
  if (Loaded !== undefined) return <Loaded />
  if (failed.value.has(load)) {
    return (
      <Empty icon="warn" title="This view could not be loaded">
        <button type="button" onClick={() => fetchView(load)}>
          Try again
        </button>
      </Empty>
    )
  }
  if (!asked.has(load)) fetchView(load)
  return <Skeleton />
}

function fetchView(load: Loader): void {
  asked.add(load)
  failed.value = new Set([...failed.peek()].filter((each) => each !== load))
  load().then(
    (component) => {
      loaded.value = new Map([...loaded.peek(), [load, component]])
    },
    () => {
      failed.value = new Set([...failed.peek(), load])
    },
  )
}

/** Loads what a view needs while its server is there: whatever is opened later may find it gone. */
export function startLoading(): void {
  let timer: ReturnType<typeof setTimeout> | undefined
  effect(() => {
    clearTimeout(timer)
    if (connection.value.kind !== 'live') return
    for (const load of failed.peek()) fetchView(load)
    timer = setTimeout(() => {
      for (const load of [DRAWER, ...Object.values(LAZY)]) if (!asked.has(load)) fetchView(load)
    }, LOADED_AFTER_MS)
  })
}

function Skeleton() {
  const { value } = connection
  return (
    <div class="skeleton" role="status">
      <p class="muted">
        {value.kind === 'loading' ? value.what : `Reading ${header.value?.title ?? 'the run'}`} …
      </p>
      <div class="bones" aria-hidden="true">
        {Array.from({ length: 6 }, (_, index) => (
          <i key={index} />
        ))}
        <i class="wide" />
        <i class="tall" />
      </div>
    </div>
  )
}

function Refused() {
  const { value } = connection
  return (
    <Empty icon="warn" title="There is nothing to show">
      <p role="alert">{value.kind === 'refused' && value.message}</p>
      <p>
        <button type="button" onClick={() => location.reload()}>
          Try again
        </button>
      </p>
    </Empty>
  )
}

function skipToMain(): void {
  document.getElementById('main')?.focus()
}
