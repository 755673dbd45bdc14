/** A state of a machine's definition, as far as it is drawn. */
export interface DefinedState {
  readonly key: string
  readonly type: string
  readonly children: readonly DefinedState[]
  /** Events it takes, and the targets of each. */
  readonly on: readonly { readonly event: string; readonly targets: readonly string[] }[]
}

/** An actor of another page, as its inspector tells of it. */
export interface StatelyActor {
  readonly id: string
  readonly name: string
  readonly parentId: string | undefined
  readonly definition: DefinedState | undefined
  /** `active`, `done`, `error` or `stopped`. */
  status: string
  value: unknown
  context: unknown
  /** Newest last. */
  readonly events: StatelyEvent[]
  /** How many there were, when some were let go. */
  eventCount: number
}

export interface StatelyEvent {
  readonly at: number
  readonly type: string
  readonly from: string | undefined
  readonly text: string
}

/** By which `sampleInspection` says how many actors are left out. */
const SAMPLED_ACTOR = 'sampled'
const ACTORS_MAX = 2_000
const EVENTS_MAX = 200
const TEXT_MAX = 2_000
const DEPTH_MAX = 40

/** The actors that a page under inspection tells of. All it sends is foreign: what has no place is left out. */
export class StatelyActors {
  readonly actors = new Map<string, StatelyActor>()
  /** Actors that found no room. */
  #without = 0

  /** Actors that are not shown: those that found no room, and those that the other page does not send, as it says. */
  get leftOut(): number {
    const sampled = this.actors.get(SAMPLED_ACTOR)?.context
    const unsent = isRecord(sampled) ? Number(sampled.leftOut) : 0
    return this.#without + (Number.isFinite(unsent) ? unsent : 0)
  }

  /** @returns Whether it was a message of an inspector. */
  take(message: unknown): boolean {
    if (!isRecord(message) || typeof message._version !== 'string') return false
    const id = text(message.sessionId)
    if (id === '') return false
    switch (message.type) {
      case '@xstate.actor':
        this.#add(id, message)
        return true
      case '@xstate.event':
        this.#event(id, message)
        return true
      case '@xstate.snapshot':
        this.#snapshot(id, message)
        return true
      default:
        return false
    }
  }

  #add(id: string, message: Readonly<Record<string, unknown>>): void {
    if (!this.actors.has(id) && this.actors.size >= ACTORS_MAX) {
      this.#without++
      return
    }
    const actor: StatelyActor = {
      id,
      name: text(message.name) || id,
      parentId: text(message.parentId) || undefined,
      definition: definitionOf(message.definition),
      status: 'active',
      value: undefined,
      context: undefined,
      events: [],
      eventCount: 0,
    }
    this.actors.set(id, actor)
    setSnapshot(actor, message.snapshot)
  }

  #event(id: string, message: Readonly<Record<string, unknown>>): void {
    const actor = this.actors.get(id)
    if (actor === undefined || !isRecord(message.event)) return
    actor.eventCount++
    actor.events.push({
      at: Number(message.createdAt) || 0,
      type: text(message.event.type),
      from: this.actors.get(text(message.sourceId))?.name,
      text: shortJson(message.event),
    })
    if (actor.events.length > EVENTS_MAX) actor.events.shift()
  }

  #snapshot(id: string, message: Readonly<Record<string, unknown>>): void {
    const actor = this.actors.get(id)
    if (actor !== undefined) setSnapshot(actor, message.snapshot)
  }
}

/** The active states of a value such as `{ a: 'b' }`, as paths: `a`, `a.b`. */
export function activePaths(value: unknown, above = ''): string[] {
  if (typeof value === 'string') return [above === '' ? value : `${above}.${value}`]
  if (!isRecord(value)) return []
  return Object.entries(value).flatMap(([key, inner]) => {
    const path = above === '' ? key : `${above}.${key}`
    return [path, ...activePaths(inner, path)]
  })
}

function setSnapshot(actor: StatelyActor, snapshot: unknown): void {
  if (!isRecord(snapshot)) return
  actor.status = text(snapshot.status) || actor.status
  actor.value = snapshot.value ?? actor.value
  actor.context = snapshot.context ?? actor.context
}

function definitionOf(json: unknown): DefinedState | undefined {
  if (typeof json !== 'string') return undefined
  try {
    const config: unknown = JSON.parse(json)
    return isRecord(config) && isRecord(config.states)
      ? stateOf(text(config.id) || 'machine', config, 0)
      : undefined
  } catch {
    return undefined
  }
}

function stateOf(key: string, config: Readonly<Record<string, unknown>>, depth: number): DefinedState {
  const states = isRecord(config.states) && depth < DEPTH_MAX ? Object.entries(config.states) : []
  const on = isRecord(config.on) ? Object.entries(config.on) : []
  return {
    key,
    type: text(config.type) || (states.length > 0 ? 'compound' : 'atomic'),
    children: states.flatMap(([name, state]) => (isRecord(state) ? [stateOf(name, state, depth + 1)] : [])),
    on: on.map(([event, transition]) => ({ event, targets: targetsOf(transition) })),
  }
}

function targetsOf(transition: unknown): string[] {
  if (typeof transition === 'string') return [transition]
  if (Array.isArray(transition)) return transition.flatMap(targetsOf)
  return isRecord(transition) ? targetsOf(transition.target) : []
}

export function shortJson(value: unknown): string {
  const json = JSON.stringify(value) ?? ''
  return json.length > TEXT_MAX ? `${json.slice(0, TEXT_MAX)}… (${json.length} characters)` : json
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const text = (value: unknown): string => (typeof value === 'string' ? value.slice(0, TEXT_MAX) : '')
