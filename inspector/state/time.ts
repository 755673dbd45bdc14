import { batch, computed, effect, signal, untracked } from '@preact/signals'
import { Moment } from '../model/moment.ts'
import type { RunStore } from '../model/run-store.ts'
import { connection, isServedRecording, status, store, tick } from './session.ts'

/** Whether the moment shown is the newest one. */
export const isFollowing = signal(true)
/** The moment shown, epoch ms; read only while not following. */
export const chosenAt = signal(0)
/** What a live pool says of itself, while the moment shown is the newest one; of a recording and of the past nobody says it. */
export const statusOfNow = computed(() =>
  // A server that has a recording counts as live until it has sent the last of it.
  isFollowing.value && connection.value.kind === 'live' && !isServedRecording.value
    ? status.value
    : undefined,
)
/** Whether nothing follows the moment shown: a pool has closed, or this is where a recording ends. */
export const isOver = computed(
  () => isFollowing.value && (connection.value.kind === 'ended' || connection.value.kind === 'recorded'),
)
export const isPlaying = signal(false)
export const speed = signal(1)
export const SPEEDS = [1, 2, 5, 10, 50, 100]

/** Changes with each new moment; whoever draws the moment reads it. */
export const momentTick = signal(0)
let current: Moment | undefined
let currentStore: RunStore | undefined

/** The moment shown. Who asks for it in a component or effect is told when it moves. */
export function momentOf(run: RunStore): Moment {
  void momentTick.value
  if (current === undefined || currentStore !== run) {
    current = new Moment(run)
    currentStore = run
    current.seek(run.end)
  }
  return current
}

/** The moment shown, without being told when it moves. */
export function peekMoment(run: RunStore): Moment {
  return untracked(() => momentOf(run))
}

/** The instant shown, epoch ms. */
export const now = computed(() => {
  void momentTick.value
  return current?.at ?? 0
})

/** Goes to an instant and stays there. */
export function seek(at: number): void {
  const run = store.peek()
  if (run === undefined) return
  batch(() => {
    isFollowing.value = false
    chosenAt.value = Math.min(run.end, Math.max(run.epoch, at))
  })
}

/** Goes to an instant that may not have come, or been read, yet: then as far as the run is there. */
export function goTo(at: number): void {
  batch(() => {
    isFollowing.value = false
    chosenAt.value = at
  })
}

/** Goes to the newest moment and stays with it. */
export function follow(): void {
  batch(() => {
    isPlaying.value = false
    isFollowing.value = true
  })
}

/** Goes so many events on, or back. */
export function stepBy(events: number): void {
  const run = store.peek()
  if (run === undefined) return
  isPlaying.value = false
  const target = Math.min(run.eventCount, Math.max(0, momentOf(run).step + events))
  const at = target === 0 ? run.epoch : run.log.at.data[target - 1]!
  isFollowing.value = false
  // Events of the same instant are stepped one by one.
  if (chosenAt.peek() === at) moveTo(run, (moment) => moment.seekStep(target))
  else {
    chosenAt.value = at
    moveTo(run, (moment) => moment.seekStep(target))
  }
}

export function togglePlay(): void {
  const run = store.peek()
  if (run === undefined) return
  if (!isPlaying.peek() && now.peek() >= run.end) seek(run.epoch)
  else if (!isPlaying.peek()) seek(now.peek())
  isPlaying.value = !isPlaying.peek()
}

function moveTo(run: RunStore, move: (moment: Moment) => void): void {
  move(momentOf(run))
  momentTick.value = momentTick.peek() + 1
}

/** Keeps the moment with what is chosen: at most once a frame, and not at all while nobody sees the page. */
export function startTime(): void {
  let isAsked = false
  /** How far the run was when it was last sought: an instant beyond is sought again as the run goes on. */
  let soughtUntil = Number.NEGATIVE_INFINITY
  const refresh = () => {
    isAsked = false
    const run = store.peek()
    if (run === undefined) return
    const at = isFollowing.peek() ? run.end : chosenAt.peek()
    const moment = momentOf(run)
    const isThere = moment.at === at && momentTick.peek() > 0 && at < soughtUntil
    if (!isFollowing.peek() && isThere) return
    soughtUntil = run.end
    moveTo(run, () => moment.seek(at))
  }
  effect(() => {
    void [store.value, tick.value, isFollowing.value, chosenAt.value]
    if (isAsked) return
    isAsked = true
    requestAnimationFrame(refresh)
  })
  effect(() => {
    if (isPlaying.value) requestAnimationFrame(play)
  })
}

let playedAt: number | undefined

function play(frameAt: number): void {
  const run = store.peek()
  if (!isPlaying.peek() || run === undefined) {
    playedAt = undefined
    return
  }
  const passed = playedAt === undefined ? 0 : frameAt - playedAt
  playedAt = frameAt
  const at = now.peek() + passed * speed.peek()
  if (at >= run.end) {
    playedAt = undefined
    if (connection.peek().kind === 'live') follow()
    else
      batch(() => {
        seek(run.end)
        isPlaying.value = false
      })
    return
  }
  seek(at)
  requestAnimationFrame(play)
}
