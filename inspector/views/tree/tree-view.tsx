import { useSignal } from '@preact/signals'
import { useEffect, useMemo } from 'preact/hooks'
import { formatCount, formatDuration, plainText } from '../../model/format.ts'
import { findJobs } from '../../model/job-list.ts'
import { ABSENT } from '../../model/job-states.ts'
import { RollUps } from '../../model/roll-ups.ts'
import type { RunStore } from '../../model/run-store.ts'
import { TreeAt, treeRows } from '../../model/tree-at.ts'
import { restTick } from '../../state/rest.ts'
import { hrefOf, route, selectedId, selectJob, setParams } from '../../state/route.ts'
import { store } from '../../state/session.ts'
import { momentOf } from '../../state/time.ts'
import { Grid, type GridColumn } from '../../ui/grid.tsx'
import { Icon } from '../../ui/icons.tsx'
import { Empty, Tabs } from '../../ui/parts.tsx'
import { SearchBox } from '../../ui/search-box.tsx'
import { StateMark } from '../../ui/state-mark.tsx'
import { DecisionCell } from './decision-cell.tsx'
import { nodeStateName } from './node-state.ts'
import { TreeMap } from './tree-map.tsx'

/** Larger trees are shown with only their first levels open. */
const OPEN_ALL_BELOW = 400
const OPEN_LEVELS = 3
/** A node that grew so shortly before the moment is marked. */
const FRESH_MS = 3_000

/** The tree as a table with roll-ups, or as a map. */
export function TreeView() {
  const run = store.value!
  const moment = momentOf(run)
  const { tree } = run
  const text = route.value.params.q ?? ''
  const isMap = route.value.params.as === 'map'
  const rollUps = useMemo(() => new RollUps(), [run])
  const at = new TreeAt(run, moment, rollUps)
  if (tree.nodeCount === 0) {
    return (
      <Empty icon="tree" title="No tree grows here">
        <p>
          The jobs of this run stand alone.{' '}
          <a class="link" href={hrefOf('graph')}>
            See what depends on what
          </a>
        </p>
      </Empty>
    )
  }
  const shown = tree.roots.reduce((sum, root) => sum + at.total[root]!, 0)
  return (
    <div class="view">
      <div class="view-head">
        <Tabs
          label="Show the tree as"
          names={[
            { name: 'table', title: 'Table' },
            { name: 'map', title: 'Map' },
          ]}
          current={isMap ? 'map' : 'table'}
          onChoose={(name) => setParams({ as: name === 'map' ? 'map' : '' })}
        />
        <SearchBox
          value={text}
          placeholder="Search nodes: state:failed kind:cluster or words"
          onChange={(q) => setParams({ q })}
        />
        <p class="of" role="status">
          <b>{formatCount(shown)}</b> nodes of {formatCount(tree.nodeCount)} at this moment
        </p>
      </div>
      {isMap ? <TreeMap at={at} text={text} /> : <TreeTable at={at} text={text} />}
    </div>
  )
}

function TreeTable({ at, text }: { at: TreeAt; text: string }) {
  const run = store.value!
  const moment = momentOf(run)
  const { nodes, nodeCount } = run.tree
  const cursor = useSignal(-1)
  /** Nodes whose rows are open although they were closed by themselves, or the other way round. */
  const toggled = useSignal<ReadonlySet<number>>(new Set())
  const isSmall = nodeCount < OPEN_ALL_BELOW
  const found = useMemo(() => (text === '' ? undefined : foundNodes(run, text)), [text, restTick.value])
  const isOpen = (node: number) =>
    found !== undefined || (isSmall || nodes.depth.data[node]! < OPEN_LEVELS) !== toggled.value.has(node)
  const isShown = (node: number) => at.states[node] !== ABSENT && (found === undefined || found.has(node))
  const rows = treeRows(run, isOpen, isShown)
  const node = (row: number) => rows[row]!

  const toggle = (which: number) => {
    const next = new Set(toggled.peek())
    if (!next.delete(which)) next.add(which)
    toggled.value = next
  }
  const hasChildren = (which: number) => {
    const child = nodes.firstChild.data[which]!
    return child >= 0 && at.states[child] !== ABSENT
  }
  const onKey = ({ key }: KeyboardEvent, row: number) => {
    if (row < 0 || (key !== 'ArrowRight' && key !== 'ArrowLeft')) return false
    const which = node(row)
    if (key === 'ArrowRight') {
      if (hasChildren(which) && !isOpen(which)) toggle(which)
      else if (hasChildren(which)) cursor.value = row + 1
    } else if (hasChildren(which) && isOpen(which) && found === undefined) toggle(which)
    else {
      const parent = rows.indexOf(nodes.parent.data[which]!)
      if (parent >= 0) cursor.value = parent
    }
    return true
  }
  // The selected job's node is in view, with all above it open.
  useEffect(() => {
    const job = run.find(selectedId.value)
    const selected = job < 0 ? -1 : run.jobs.node.data[job]!
    if (selected < 0) return
    const open = new Set(toggled.peek())
    for (let above = nodes.parent.data[selected]!; above >= 0; above = nodes.parent.data[above]!)
      if ((isSmall || nodes.depth.data[above]! < OPEN_LEVELS) === open.has(above)) {
        if (!open.delete(above)) open.add(above)
      }
    toggled.value = open
    const all = treeRows(
      run,
      (each) => (isSmall || nodes.depth.data[each]! < OPEN_LEVELS) !== open.has(each),
      isShown,
    )
    cursor.value = all.indexOf(selected)
  }, [selectedId.value])

  const best = useMemo(() => bestScore(run, at), [run, restTick.value])
  const ranMs = useMemo(() => at.ranMs(), [run, restTick.value])
  const columns: GridColumn[] = [
    {
      key: 'name',
      title: 'Node',
      width: 'minmax(240px, 2fr)',
      cell: (row) => {
        const which = node(row)
        const isFresh = moment.at - at.grownAt(which) < FRESH_MS && which >= run.tree.roots.length
        return (
          <>
            <span class="indent" style={{ width: `${Math.min(24, nodes.depth.data[which]!) * 16}px` }} />
            {hasChildren(which) ? (
              <button
                type="button"
                class={`plain twisty ${isOpen(which) ? 'open' : ''}`}
                tabIndex={-1}
                aria-label={isOpen(which) ? 'Close' : 'Open'}
                onClick={() => toggle(which)}
              >
                <Icon name="chevron" size={12} />
              </button>
            ) : (
              <span class="twisty" />
            )}
            <StateMark state={at.states[which]!} />
            <span class="ellipsis">
              {plainText(run.text(nodes.label.data[which]!))}{' '}
              <span class="muted">n{nodes.number.data[which]}</span>
            </span>
            {isFresh && (
              <span class="fresh" title="It has just grown">
                new
              </span>
            )}
          </>
        )
      },
    },
    {
      key: 'state',
      title: 'State',
      width: '88px',
      cell: (row) => <span class="muted">{nodeStateName(at, node(row))}</span>,
    },
    {
      key: 'below',
      title: 'With all below',
      width: 'minmax(150px, 1fr)',
      cell: (row) => <RollUp at={at} node={node(row)} />,
    },
    {
      key: 'score',
      title: 'Score',
      width: '92px',
      isNumber: true,
      cell: (row) => <Score value={at.scoreOf(node(row))} best={best} />,
    },
    {
      key: 'decision',
      title: 'Decision',
      width: 'minmax(180px, 2fr)',
      cell: (row) => <DecisionCell at={at} node={node(row)} />,
    },
    {
      key: 'tries',
      title: 'Tries',
      width: '56px',
      isNumber: true,
      cell: (row) => moment.attemptsOf(at.jobOf(node(row))),
    },
    {
      key: 'ran',
      title: 'Ran, all',
      width: '84px',
      isNumber: true,
      cell: (row) => formatDuration(ranMs[node(row)] ?? 0),
    },
  ]
  const selectedJob = run.find(selectedId.value)
  return (
    <Grid
      label="Nodes of the tree"
      role="treegrid"
      columns={columns}
      count={rows.length}
      cursor={cursor.value}
      onCursor={(row) => (cursor.value = row)}
      onOpen={(row) => selectJob(run.idOf(at.jobOf(node(row))))}
      onKey={onKey}
      rowProps={(row) => ({
        'aria-level': nodes.depth.data[node(row)]! + 1,
        ...(hasChildren(node(row)) && { 'aria-expanded': isOpen(node(row)) }),
        class: `grid-row ${at.jobOf(node(row)) === selectedJob ? 'selected' : ''}`,
      })}
      empty={<Empty icon="tree" title="No node is like this at this moment" />}
    />
  )
}

/** Of a node and all below it: done, failed and still at work, against how many there are. */
function RollUp({ at, node }: { at: TreeAt; node: number }) {
  const total = at.total[node]!
  if (total <= 1) return null
  const share = (count: number) => ({ width: `${(count / total) * 100}%` })
  return (
    <>
      <span class="mini-bar rollup" aria-hidden="true">
        <i class="bg-failed" style={share(at.failed[node]!)} />
        <i class="bg-completed" style={share(at.done[node]!)} />
        <i class="bg-executing" style={share(at.open[node]!)} />
      </span>
      <span class="muted">
        {formatCount(at.done[node]!)}/{formatCount(total)}
        {at.failed[node]! > 0 && <b class="s-failed"> {formatCount(at.failed[node]!)} ✕</b>}
      </span>
    </>
  )
}

function Score({ value, best }: { value: number; best: number }) {
  if (Number.isNaN(value)) return <span class="muted">–</span>
  return (
    <span
      class={value === best ? 'best' : ''}
      title={value === best ? 'The best score until now' : undefined}
    >
      {value === best && '★ '}
      {Number.isInteger(value) ? value : value.toFixed(3)}
    </span>
  )
}

function bestScore(run: RunStore, at: TreeAt): number {
  let best = Number.NEGATIVE_INFINITY
  for (let node = 0; node < run.tree.nodeCount; node++) {
    if (at.states[node] === ABSENT || at.decisionOf(node) < 0) continue
    const score = at.scoreOf(node)
    if (score > best) best = score
  }
  return best
}

/** The nodes that a search finds, with all above them. */
function foundNodes(run: RunStore, text: string): Set<number> {
  const found = new Set<number>()
  for (const job of findJobs(run, momentOf(run), text)) {
    let node = run.jobs.node.data[job]!
    while (node >= 0 && !found.has(node)) {
      found.add(node)
      node = run.tree.nodes.parent.data[node]!
    }
  }
  return found
}
