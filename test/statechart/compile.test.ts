import { describe, expect, expectTypeOf, it, vi } from 'vitest'
import {
  type AnyEventObject,
  assign,
  createActor,
  createMachine,
  fromTransition,
  getInitialSnapshot,
  getNextSnapshot,
  initialTransition,
  isMachineSnapshot,
  type SnapshotFrom,
  StateMachine,
  setup,
  transition,
} from 'xstate'
import { createTestModel, getAdjacencyMap, getShortestPaths } from 'xstate/graph'
import { compile, createLightActor } from '../../src/statechart/index.ts'
import { charts } from './charts.ts'
import { note } from './conformance.ts'

const light = setup({
  types: {
    context: {} as { changes: number },
    events: {} as { type: 'change' } | { type: 'set'; to: number },
    input: {} as { from: number },
    output: {} as { total: number },
    tags: {} as 'go' | 'wait',
  },
  guards: { isMany: ({ context }) => context.changes > 3 },
  actions: { tell: (_, params: { text: string }) => note('tell', params) },
}).createMachine({
  id: 'light',
  context: ({ input }) => ({ changes: input.from }),
  initial: 'red',
  states: {
    red: {
      tags: 'wait',
      meta: { color: '#f00' },
      on: {
        change: {
          target: 'green',
          actions: [
            assign({ changes: ({ context }) => context.changes + 1 }),
            { type: 'tell', params: { text: 'go' } },
          ],
        },
        set: { actions: assign({ changes: ({ event }) => event.to }) },
      },
    },
    green: { tags: 'go', on: { change: [{ guard: 'isMany', target: 'broken' }, { target: 'red' }] } },
    broken: { type: 'final' },
  },
  output: ({ context }) => ({ total: context.changes }),
})

describe('compile', () => {
  it('gives the same machine to everything that takes one', () => {
    const compiled = compile(light)
    expect(compiled).toBeInstanceOf(StateMachine)
    expect(compiled).not.toBe(light)
    expect(compiled.config).toBe(light.config)
    expect([compiled.id, compiled.events, compiled.root.id]).toEqual([light.id, light.events, light.root.id])
    expect(Object.keys(compiled.implementations.actions)).toEqual(['tell'])
    expect(compiled.getStateNodeById('light.red').machine).toBe(compiled)
    expect(JSON.stringify(compiled.definition)).toBe(JSON.stringify(light.definition))
    const snapshot = createActor(compiled, { input: { from: 0 } }).getSnapshot()
    expect(snapshot.machine).toBe(compiled)
    expect(isMachineSnapshot(snapshot)).toBe(true)
  })

  it('keeps the types of the machine', () => {
    const compiled = compile(light)
    expectTypeOf(compiled).toEqualTypeOf<typeof light>()
    const actor = createActor(compiled, { input: { from: 1 } })
    expectTypeOf(actor.getSnapshot()).toEqualTypeOf<SnapshotFrom<typeof light>>()
    expectTypeOf(actor.send).parameter(0).toEqualTypeOf<{ type: 'change' } | { type: 'set'; to: number }>()
    expectTypeOf(createLightActor(compiled, { input: { from: 1 } }).getSnapshot()).toEqualTypeOf<
      SnapshotFrom<typeof light>
    >()
    expect(actor.getSnapshot().matches('red')).toBe(true)
    // @ts-expect-error no such state
    expect(actor.getSnapshot().matches('blue')).toBe(false)
  })

  it('answers the pure functions of XState', () => {
    const compiled = compile(light)
    const [initial, none] = initialTransition(compiled, { from: 0 })
    const [next, effects] = transition(compiled, initial, { type: 'change' })
    expect([none, next.value, next.context]).toEqual([[], 'green', { changes: 1 }])
    expect(effects).toMatchObject([{ type: 'tell', params: { text: 'go' } }])
    expect(getNextSnapshot(compiled, next, { type: 'change' }).value).toBe('red')
    expect(getInitialSnapshot(compiled, { from: 3 }).context).toEqual({ changes: 3 })
    const [other] = transition(light, initialTransition(light, { from: 5 })[0], { type: 'change' })
    expect(transition(compiled, other, { type: 'change' })[0].value).toBe('broken')
    expect(
      transition(compiled, compiled.resolveState({ value: 'green', context: { changes: 9 } }), {
        type: 'change',
      })[0].output,
    ).toEqual({ total: 9 })
  })

  it('can be given other implementations', () => {
    const told: unknown[] = []
    const compiled = compile(light).provide({
      actions: { tell: (_, params) => void told.push(params) },
      guards: { isMany: () => true },
    })
    const actor = createActor(compiled, { input: { from: 0 } }).start()
    for (const type of ['change', 'change'] as const) actor.send({ type })
    expect([actor.getSnapshot().value, told]).toEqual(['broken', [{ text: 'go' }]])
    expect(actor.getSnapshot().constructor.name).toBe('TableSnapshot')
  })

  it('steps through single microsteps', () => {
    const machine = createMachine({
      initial: 'a',
      states: {
        a: { initial: 'x', onDone: 'b', states: { x: { on: { go: 'y' } }, y: { type: 'final' } } },
        b: {},
      },
    })
    const compiled = compile(machine)
    const actor = createActor(compiled)
    const scope = (actor as never as { _actorScope: never })._actorScope
    const values = compiled.microstep(actor.getSnapshot(), { type: 'go' }, scope).map(({ value }) => value)
    expect(values).toEqual([{ a: 'y' }, 'b'])
  })

  it('is explored by `xstate/graph` to the same paths', () => {
    for (const [name, { machine, events, input }] of Object.entries(charts)) {
      const stopWhen = ({ context }: { context: { n?: number } }) => (context.n ?? 0) > 3
      const [expected, actual] = [machine, compile(machine)].map((each) => {
        try {
          const map = getAdjacencyMap(each, { events: [...events], input, limit: 1000, stopWhen } as never)
          return Object.entries(map).map(([key, { transitions }]) => [key, Object.keys(transitions)])
        } catch (error) {
          return String(error)
        }
      })
      expect(actual, name).toEqual(expected)
    }
    const machine = compile(light)
    const paths = getShortestPaths(machine, { events: [{ type: 'change' }], input: { from: 0 } })
    expect(paths.map(({ state, steps }) => [state.value, steps.length])).toContainEqual(['broken', 9])
    expect(
      createTestModel(machine, { events: [{ type: 'change' }], input: { from: 0 } }).getShortestPaths()
        .length,
    ).toBeGreaterThan(0)
  })

  it('remembers no event type that the machine does not name', () => {
    const actor = createActor(compile(createMachine({ on: { 'a.*': {}, known: {} } }))).start()
    const prefixes = ['a.', 'b.', 'xstate.done.actor.']
    const send = (from: number, to: number) => {
      for (const prefix of prefixes)
        for (let index = from; index < to; index++) actor.send({ type: `${prefix}${index}` })
    }
    send(0, 1)
    const stored = [
      vi.spyOn(Map.prototype, 'set'),
      vi.spyOn(WeakMap.prototype, 'set'),
      vi.spyOn(Set.prototype, 'add'),
    ]
    send(1, 100)
    const counts = stored.map(({ mock }) => mock.calls.length)
    vi.restoreAllMocks()
    expect(counts).toEqual([0, 0, 0])
  })
})

describe('a snapshot of a compiled machine', () => {
  const snapshotAfter = (...types: 'change'[]) => {
    const actor = createActor(compile(light), { input: { from: 0 } }).start()
    for (const type of types) actor.send({ type })
    return actor.getSnapshot()
  }

  it('is the same object while nothing changes', () => {
    const actor = createActor(compile(light), { input: { from: 0 } }).start()
    const before = actor.getSnapshot()
    actor.send({ type: 'nothing' } as never)
    expect(actor.getSnapshot()).toBe(before)
    actor.send({ type: 'set', to: 0 })
    expect(actor.getSnapshot()).not.toBe(before)
    expect(actor.getSnapshot().value).toBe(before.value)
  })

  it('shows the five own properties that a spread keeps, and the rest from its prototype', () => {
    const snapshot = snapshotAfter('change')
    expect(Object.keys(snapshot)).toEqual(['status', 'output', 'error', 'context', 'value'])
    expect([snapshot.hasTag('go'), snapshot.matches('green'), snapshot.can({ type: 'change' })]).toEqual([
      true,
      true,
      true,
    ])
    expect(snapshot.getMeta()).toEqual({})
    expect(snapshotAfter().getMeta()).toEqual({ 'light.red': { color: '#f00' } })
  })

  it('keeps everything when an action throws in an Actor', () => {
    const machine = createMachine({ id: 'm', tags: 'tagged', on: { go: { actions: () => explode() } } })
    for (const create of [createActor, createLightActor] as const) {
      const actor = create(compile(machine))
      actor.subscribe({ error() {} })
      actor.start().send({ type: 'go' })
      const snapshot = actor.getSnapshot()
      expect([snapshot.status, snapshot.hasTag('tagged' as never), snapshot.getMeta()]).toEqual([
        'error',
        true,
        {},
      ])
      expect(actor.getPersistedSnapshot()).toMatchObject({ status: 'error', value: {} })
    }
  })

  it('cannot be changed through what it shares with others', () => {
    const machine = createMachine({ type: 'parallel', states: { a: {}, b: {} } })
    const { value, _nodes } = createActor(compile(machine)).getSnapshot()
    expect([Object.isFrozen(value), Object.isFrozen(_nodes)]).toEqual([true, true])
  })
})

describe('restoring', () => {
  it('refuses states that the machine does not have, as XState does', () => {
    const persisted = {
      status: 'active',
      value: 'blue',
      context: { changes: 0 },
      children: {},
      historyValue: {},
    }
    const errors = [light, compile(light), compile(light)].map((machine) => {
      const actor = createActor(machine, { snapshot: persisted as never, input: { from: 0 } })
      return String((actor.getSnapshot() as { error: unknown }).error)
    })
    expect(errors[0]).toContain("'blue'")
    expect(new Set(errors).size).toBe(1)
  })

  it('needs the persisted children, as XState does', () => {
    const errors = [light, compile(light)].map((machine) => {
      const options = { input: { from: 0 } }
      const whole = createActor(machine, options).getPersistedSnapshot() as { children?: unknown }
      createActor(machine, { ...options, snapshot: whole as never })
      const { children, ...part } = whole
      expect(children).toEqual({})
      return String(createActor(machine, { ...options, snapshot: part as never }).getSnapshot().error)
    })
    expect(errors[0]).toContain('TypeError')
    expect(errors[1]).toBe(errors[0])
  })

  it('completes a value that names only a part of the states', () => {
    const machine = createMachine({ initial: 'a', states: { a: { initial: 'b', states: { b: {}, c: {} } } } })
    const persisted = { status: 'active', value: 'a', context: {}, children: {}, historyValue: {} }
    for (const logic of [machine, compile(machine)]) {
      expect(createActor(logic, { snapshot: persisted as never }).getSnapshot().value).toEqual({ a: 'b' })
    }
  })

  it('writes actors in the context as references, and drops them when it reads', () => {
    const machine = createMachine({
      context: { list: [1, { other: undefined as unknown }], deep: { text: 'x' } },
    })
    const stories = [machine, compile(machine)].map((logic) => {
      const other = createActor(machine, { id: 'other' })
      const state = logic.resolveState({ value: {}, context: { list: [1, { other }], deep: { text: 'x' } } })
      return JSON.stringify(
        ['first', 'second'].map(() => {
          const persisted = createActor(logic, { snapshot: state }).getPersistedSnapshot()
          const restored = createActor(logic, { snapshot: structuredClone(persisted) })
          return [persisted, restored.getSnapshot().context]
        }),
      )
    })
    expect(stories[0]).toContain('xstate$$type')
    expect(stories[1]).toBe(stories[0])
  })

  it('leaves children and history of a snapshot to XState', () => {
    const machine = setup({
      actors: { counter: fromTransition((count: number, _event: AnyEventObject) => count + 1, 0) },
    }).createMachine({
      initial: 'a',
      states: { a: { on: { go: 'b' } }, b: {} },
    })
    const persisted = {
      status: 'active',
      value: 'a',
      context: {},
      children: { kept: { src: 'counter', snapshot: { status: 'active', context: 4 } } },
      historyValue: {},
    }
    const stories = [machine, compile(machine)].map((logic) => {
      const actor = createActor(logic, { snapshot: persisted as never }).start()
      actor.send({ type: 'go' })
      return JSON.stringify(actor.getPersistedSnapshot())
    })
    expect(stories[0]).toContain('"context":4')
    expect(stories[1]).toBe(stories[0])
  })
})

function explode(): never {
  throw new Error('exploded')
}

it('a machine said to answer whole contexts is refused the first answer that leaves a key out', () => {
  const machine = createMachine({
    id: 'forgetful',
    context: { kept: 1, lost: 2 },
    on: { go: { actions: assign({ kept: 3 }) }, forget: { actions: assign(() => ({ kept: 4 })) } },
  })
  const actor = createLightActor(compile(machine, { replacesContext: true }))
  actor.subscribe({ error: () => {} })
  actor.start()
  actor.send({ type: 'go' })
  expect(actor.getSnapshot().context).toEqual({ kept: 3, lost: 2 })
  actor.send({ type: 'forget' })
  expect(actor.getSnapshot().error).toMatchObject({ message: expect.stringContaining("one without 'lost'") })
})
