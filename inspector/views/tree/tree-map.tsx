import { useSignal } from '@preact/signals'
import { useMemo, useRef } from 'preact/hooks'
import { drawIcicle, type IcicleView, nodeAt } from '../../draw/icicle.ts'
import { formatCount, plainText } from '../../model/format.ts'
import { layOut } from '../../model/icicle.ts'
import { findJobs } from '../../model/job-list.ts'
import { ABSENT } from '../../model/job-states.ts'
import type { TreeAt } from '../../model/tree-at.ts'
import { restTick } from '../../state/rest.ts'
import { selectedId, selectJob } from '../../state/route.ts'
import { store } from '../../state/session.ts'
import { momentOf, momentTick } from '../../state/time.ts'
import { Canvas } from '../../ui/canvas.tsx'
import { HiddenTable } from '../../ui/hidden-table.tsx'
import { StateLabel } from '../../ui/state-mark.tsx'
import { useLinkedSpan } from '../../ui/use-linked-span.ts'
import { useZoom } from '../../ui/use-zoom.ts'
import { ZoomTools } from '../../ui/zoom-tools.tsx'
import { nodeStateName } from './node-state.ts'

const TALLEST = 64
const SHOWN_CHILDREN = 50
const PAGE_NODES = 20

/** Where keys lead in a row of nodes. */
const MOVES: Readonly<Record<string, (place: number, last: number) => number>> = {
  ArrowLeft: (place) => place - 1,
  ArrowRight: (place) => place + 1,
  PageUp: (place) => place - PAGE_NODES,
  PageDown: (place) => place + PAGE_NODES,
  Home: () => 0,
  End: (_, last) => last,
}

/** The whole tree as boxes: a node as wide as the leaves below it, its children under it. */
export function TreeMap({ at, text }: { at: TreeAt; text: string }) {
  const run = store.value!
  const { nodes, nodeCount } = run.tree
  const layout = useMemo(() => layOut(run), [nodeCount])
  const found = useMemo(() => {
    if (text === '') return undefined
    return new Set([...findJobs(run, momentOf(run), text)].map((job) => run.jobs.node.data[job]!))
  }, [text, restTick.value])
  const box = useRef<HTMLDivElement>(null)
  const cursor = useSignal(run.tree.roots[0] ?? -1)
  const hovered = useSignal(-1)
  const zoom = useZoom(box, { low: 0, high: layout.leaves, least: 2 }, useLinkedSpan('zoom', 0))
  const selectedJob = run.find(selectedId.value)
  const view = (height: number): IcicleView => ({
    from: zoom.from,
    to: zoom.to,
    rowHeight: Math.max(4, Math.min(TALLEST, height / Math.max(1, layout.rows.length))),
    scroll: 0,
    found,
    selected: selectedJob < 0 ? -1 : run.jobs.node.data[selectedJob]!,
    cursor: cursor.value,
  })
  const find = (event: MouseEvent) => {
    const { left, top, width, height } = box.current!.getBoundingClientRect()
    return nodeAt(layout, at, view(height), width, event.clientX - left, event.clientY - top)
  }
  const open = (node: number) => node >= 0 && selectJob(run.idOf(at.jobOf(node)))
  const moveTo = (node: number) => {
    if (node < 0 || at.states[node] === ABSENT) return
    cursor.value = node
    zoom.reveal(layout.left[node]!, layout.left[node]! + layout.width[node]!)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const node = cursor.value
    const move = MOVES[event.key]
    if (event.key === 'ArrowDown') moveTo(nodes.firstChild.data[node]!)
    else if (event.key === 'ArrowUp') moveTo(nodes.parent.data[node]!)
    else if (move !== undefined) moveInRow(node, move)
    else if (event.key === 'Enter') open(node)
    else if (!zoom.onKey(event)) return
    event.preventDefault()
  }
  const moveInRow = (node: number, move: (place: number, last: number) => number) => {
    const row = layout.rows[nodes.depth.data[node]!]?.nodes ?? new Uint32Array()
    const grown = row.filter((each) => at.states[each] !== ABSENT)
    const last = grown.length - 1
    moveTo(grown[Math.max(0, Math.min(last, move(grown.indexOf(node), last)))] ?? -1)
  }
  const told = hovered.value >= 0 ? hovered.value : cursor.value
  return (
    <>
      <div
        ref={box}
        class="card picture"
        role="application"
        tabIndex={0}
        aria-label="Map of the tree: arrows, Page, Home and End move, Enter opens, plus and minus zoom, 0 fits"
        aria-describedby="map-cursor"
        aria-details="map-table"
        onKeyDown={onKeyDown}
      >
        <Canvas
          class="picture-canvas"
          version={[momentTick.value, zoom.from, zoom.to, cursor.value, selectedId.value, found].join()}
          paint={(surface) => drawIcicle(surface, run, layout, at, view(surface.height))}
          onPointerMove={(event) => (hovered.value = event.buttons === 0 ? find(event) : -1)}
          onPointerLeave={() => (hovered.value = -1)}
          onClick={(event) => {
            if (zoom.wasDragged()) return
            const node = find(event)
            if (node >= 0) cursor.value = node
            open(node)
          }}
          onDblClick={(event) => {
            const node = find(event)
            if (node >= 0) zoom.set(layout.left[node]!, layout.left[node]! + layout.width[node]!)
          }}
        />
      </div>
      <div class="picture-foot">
        <p id="map-cursor" class="picture-told" aria-live="polite">
          {told >= 0 && (
            <>
              <StateLabel state={at.states[told]!} name={nodeStateName(at, told)} />{' '}
              <b>{plainText(run.text(nodes.label.data[told]!))}</b> n{nodes.number.data[told]} ·{' '}
              {formatCount(at.total[told]!)} nodes with all below
            </>
          )}
        </p>
        <ZoomTools onZoom={zoom.by} onFit={zoom.fit} />
      </div>
      <ChildTable at={at} node={cursor.value} />
    </>
  )
}

/** The cursor's node and its children, for who cannot see the picture. */
function ChildTable({ at, node }: { at: TreeAt; node: number }) {
  const run = store.value!
  if (node < 0) return null
  const children = run.tree.childrenOf(node).filter((child) => at.states[child] !== ABSENT)
  const shown = children.slice(0, SHOWN_CHILDREN)
  return (
    <HiddenTable
      id="map-table"
      caption={`The node of the cursor and its children: ${shown.length} of ${children.length}`}
      columns={['Node', 'State', 'With all below']}
      current={0}
      rows={[node, ...shown].map((each) => [
        `${plainText(run.text(run.tree.nodes.label.data[each]!))}, n${run.tree.nodes.number.data[each]!}`,
        nodeStateName(at, each),
        at.total[each],
      ])}
    />
  )
}
