import { describe, expect, it } from 'vitest'
import { assign, createActor, createMachine, type InspectionEvent, raise } from 'xstate'
import { compile, toMermaid, transitionId, transitionsOf } from '../../src/statechart/index.ts'
import { charts } from './charts.ts'

const trip = createMachine({
  id: 'trip',
  initial: { target: 'home', actions: 'pack' },
  on: { emergency: { target: '.home', actions: 'call' } },
  states: {
    home: {
      entry: ['rest', assign({})],
      on: {
        leave: [
          { guard: 'isSunny', target: 'away', description: 'a good day' },
          { guard: () => true, actions: 'wait' },
        ],
        sleep: {},
      },
    },
    away: {
      type: 'parallel',
      exit: ['say "bye"; wave'],
      onDone: 'home',
      after: { 1000: { target: 'home', reenter: true } },
      states: {
        body: {
          initial: 'walking',
          states: {
            walking: { on: { 'stop.*': 'resting' }, always: { guard: 'isTired', target: 'resting' } },
            resting: { type: 'final' },
          },
        },
        mind: { on: { think: { actions: [raise({ type: 'stop.now' }), () => {}, assign({})] } } },
      },
    },
  },
} as never)

describe('transitionsOf', () => {
  it('lists every transition with its id, guard, targets and actions', () => {
    expect(transitionsOf(trip)).toEqual([
      {
        id: 'trip:emergency:0',
        source: 'trip',
        event: 'emergency',
        index: 0,
        targets: ['trip.home'],
        reenter: false,
        actions: ['call'],
      },
      {
        ...{
          id: 'trip.home:leave:0',
          source: 'trip.home',
          event: 'leave',
          index: 0,
          targets: ['trip.away'],
          reenter: false,
        },
        ...{ guard: 'isSunny', actions: [], description: 'a good day' },
      },
      {
        id: 'trip.home:leave:1',
        source: 'trip.home',
        event: 'leave',
        index: 1,
        targets: [],
        reenter: false,
        guard: '(inline)',
        actions: ['wait'],
      },
      {
        id: 'trip.home:sleep:0',
        source: 'trip.home',
        event: 'sleep',
        index: 0,
        targets: [],
        reenter: false,
        actions: [],
      },
      {
        ...{
          id: 'trip.away:xstate.done.state.trip.away:0',
          source: 'trip.away',
          event: 'xstate.done.state.trip.away',
          index: 0,
        },
        ...{ targets: ['trip.home'], reenter: false, actions: [] },
      },
      {
        ...{
          id: 'trip.away:xstate.after.1000.trip.away:0',
          source: 'trip.away',
          event: 'xstate.after.1000.trip.away',
          index: 0,
        },
        ...{ targets: ['trip.home'], reenter: true, actions: [] },
      },
      {
        ...{
          id: 'trip.away.body.walking:stop.*:0',
          source: 'trip.away.body.walking',
          event: 'stop.*',
          index: 0,
        },
        ...{ targets: ['trip.away.body.resting'], reenter: false, actions: [] },
      },
      {
        ...{
          id: 'trip.away.body.walking::0',
          source: 'trip.away.body.walking',
          event: '',
          index: 0,
          guard: 'isTired',
        },
        ...{ targets: ['trip.away.body.resting'], reenter: false, actions: [] },
      },
      {
        ...{
          id: 'trip.away.mind:think:0',
          source: 'trip.away.mind',
          event: 'think',
          index: 0,
          targets: [],
          reenter: false,
        },
        actions: ['raise', '(inline)', 'assign'],
      },
    ])
  })

  it('gives ids that inspection finds again, whichever copy of the machine runs', () => {
    const machine = createMachine({
      initial: 'a',
      on: { '*': {} },
      states: { a: { on: { go: [{ guard: () => false }, 'b'] } }, b: {} },
    })
    const known = transitionsOf(machine).map(({ id }) => id)
    for (const logic of [machine, compile(machine)]) {
      const taken: string[] = []
      const inspect = (event: InspectionEvent) => {
        if (event.type === '@xstate.microstep') taken.push(...event._transitions.map(transitionId))
      }
      const actor = createActor(logic, { inspect }).start()
      for (const type of ['go', 'go']) actor.send({ type })
      expect(taken).toEqual(['(machine).a:go:1', '(machine):*:0'])
      expect(known).toEqual(expect.arrayContaining(taken))
    }
  })

  it('gives every transition an id of its own', () => {
    for (const { machine } of Object.values(charts)) {
      const ids = transitionsOf(machine).map(({ id }) => id)
      expect(new Set(ids).size).toBe(ids.length)
    }
  })
})

describe('toMermaid', () => {
  it('writes what looks like a character reference so that it is drawn as it is', () => {
    const machine = createMachine({ id: 'm', initial: 'a', states: { a: { on: { 'go&lt': 'a' } } } } as never)
    expect(toMermaid(machine)).toContain(' : go#38;lt')
  })

  it('draws states in states, regions, ends, and labelled arrows', () => {
    expect(toMermaid(trip)).toBe(`stateDiagram-v2
  state "trip" as s0_trip {
    [*] --> s1_trip_home : / pack
    state "home" as s1_trip_home
    s1_trip_home : entry / rest
    state "away (parallel) | entry / raise | exit / say #34;bye#34;#59; wave | exit / cancel" as s2_trip_away {
      state "body" as s3_trip_away_body {
        [*] --> s4_trip_away_body_walking
        state "walking" as s4_trip_away_body_walking
        state "resting" as s5_trip_away_body_resting
        s5_trip_away_body_resting --> [*]
      }
      state "mind" as s6_trip_away_mind
    }
  }
  s0_trip --> s1_trip_home : emergency / call
  s1_trip_home --> s2_trip_away : leave [isSunny]
  s1_trip_home --> s1_trip_home : leave [(inline)] / wait
  s2_trip_away --> s1_trip_home : done
  s2_trip_away --> s1_trip_home : after 1000
  s4_trip_away_body_walking --> s5_trip_away_body_resting : stop.*
  s4_trip_away_body_walking --> s5_trip_away_body_resting : always [isTired]
  s6_trip_away_mind --> s6_trip_away_mind : think / raise, (inline)
`)
  })

  it('marks the transitions that were not taken', () => {
    const machine = createMachine({
      id: 'm',
      initial: 'a',
      states: { a: { on: { go: 'b', stay: 'a' } }, b: {} },
    })
    expect(toMermaid(machine, { taken: new Set(['m.a:go:0']) })).toBe(`stateDiagram-v2
  [*] --> s1_m_a
  state "a" as s1_m_a
  state "b" as s2_m_b
  s1_m_a --> s2_m_b : go
  s1_m_a --> s1_m_a : ✗ stay
`)
  })

  it('draws a compiled machine like the one it was made of', () => {
    for (const { machine } of Object.values(charts))
      expect(toMermaid(compile(machine))).toBe(toMermaid(machine))
  })
})
