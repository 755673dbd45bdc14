import { describe, expect, it } from 'vitest'
import {
  assign,
  cancel,
  createMachine,
  enqueueActions,
  fromPromise,
  log,
  raise,
  sendParent,
  sendTo,
  setup,
  spawnChild,
  stopChild,
} from 'xstate'
import { compile, createLightActor } from '../../src/statechart/index.ts'

const quick = fromPromise(async () => 1)

/** A machine whose state `a` has the given parts. */
const withState = (parts: object, root: object = {}) =>
  createMachine({ id: 'm', initial: 'a', ...root, states: { a: parts, b: {} } } as never)

describe('compile refuses, with the state and the feature,', () => {
  const machines = {
    '`invoke`': withState({ invoke: { src: quick } }),
    '`after`': withState({ after: { 100: 'b' } }),
    '`always`': withState({ always: 'b' }),
    'a history state': withState({ initial: 'x', states: { x: {}, back: { type: 'history' } } }),
    "the action 'xstate.raise'": withState({ entry: raise({ type: 'x' }) }),
    "the action 'xstate.sendTo'": withState({ exit: sendTo('other', { type: 'x' }) }),
    "the action 'xstate.spawnChild'": withState({ on: { x: { actions: spawnChild(quick) } } }),
    "the action 'xstate.stopChild'": withState({ on: { x: { actions: stopChild('other') } } }),
    "the action 'xstate.cancel'": withState({ entry: cancel('x') }),
    "the action 'xstate.log'": withState({ entry: ['fine', log('x')] }),
    "the action 'xstate.enqueueActions'": withState({ entry: enqueueActions(() => {}) }),
    "child states in a state of type 'final'": withState({ type: 'final', states: { x: {} } }),
    "the child state key ''": withState({ initial: 'x', states: { x: {}, '': {} } }),
    'a guard with a `check` of its own': withState({
      on: { x: { guard: Object.assign(() => true, { check() {} }) } },
    }),
  }
  for (const [feature, machine] of Object.entries(machines)) {
    it(feature, () => {
      expect(() => compile(machine)).toThrow(
        new RegExp(
          `^Expected a machine that can be compiled, got ${literally(feature)} in state 'm\\.a[.\\w]*' of machine 'm'\\.`,
        ),
      )
    })
  }

  it('actions that are refused behind a name', () => {
    const machine = setup({
      actions: { tell: sendParent({ type: 'x' }), other: 'tell' as never },
    }).createMachine({
      initial: 'a',
      states: { a: { on: { x: { actions: 'tell' } } } },
    })
    expect(() => compile(machine)).toThrow("the action 'xstate.sendTo' in state '(machine).a'")
    expect(() => compile(machine.provide({ actions: { tell: 'other' as never } }))).toThrow(
      'implemented by another name',
    )
    expect(compile(machine.provide({ actions: { tell: () => {} } }))).toBeDefined()
  })

  it('initial transitions with such actions', () => {
    const machine = withState({}, { initial: { target: 'a', actions: raise({ type: 'x' }) } })
    expect(() => compile(machine)).toThrow("the action 'xstate.raise' in state 'm'")
  })

  it('guards that refer to themselves', () => {
    const machine = setup({ guards: { a: 'b' as never, b: 'a' as never } }).createMachine({
      on: { x: { guard: 'a' } },
    })
    expect(() => compile(machine)).toThrow("the guard 'a', which refers to itself")
  })

  it('such features in what `provide` makes', () => {
    const machine = setup({ actions: { act: () => {} } }).createMachine({ entry: 'act' })
    expect(() => compile(machine).provide({ actions: { act: raise({ type: 'x' }) as never } })).toThrow(
      'xstate.raise',
    )
  })
})

describe('a compiled machine refuses to spawn', () => {
  it('in an assign', () => {
    const machine = createMachine({
      on: { go: { actions: assign(({ spawn }) => ({ child: spawn(quick) })) } },
    } as never)
    const actor = createLightActor(compile(machine))
    const errors: unknown[] = []
    actor.subscribe({ error: (error) => errors.push(error) })
    actor.start().send({ type: 'go' })
    expect(String(errors)).toContain('got a call of `spawn`')
  })

  it('in the context factory', () => {
    const machine = createMachine({
      context: ({ spawn }: never) => ({ child: (spawn as (logic: unknown) => unknown)(quick) }),
    } as never)
    const snapshot = createLightActor(compile(machine)).getSnapshot()
    expect(snapshot.status).toBe('error')
    expect(String(snapshot.error)).toContain('got a call of `spawn`')
  })
})

const literally = (text: string): string => text.replace(/[.()]/g, '\\$&')
