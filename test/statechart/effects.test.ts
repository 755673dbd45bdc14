import { expect, test } from 'vitest'
import { type AnyActorRef, type AnyStateMachine, assign, createActor, setup } from 'xstate'
import { compile, createLightActor, effect } from '../../src/statechart/index.ts'

const lamp = setup({
  types: { context: {} as { n: number }, events: {} as { type: 'press'; by: string } },
  actions: {
    light: effect('light') as never,
    count: assign(({ context }) => ({ ...context, n: context.n + 1 })),
    tell: effect('told under another name') as never,
  },
}).createMachine({
  id: 'lamp',
  context: { n: 0 },
  initial: 'off',
  states: {
    off: {
      exit: { type: 'light', params: { on: true } } as never,
      on: {
        press: {
          target: 'on',
          actions: [
            'count',
            { type: 'tell', params: ({ context, event }: never) => [context, event] } as never,
            'count',
          ],
        },
      },
    },
    on: { entry: 'light', on: { press: 'off' } },
  },
})

const runners = {
  'XState’s actor': (machine: AnyStateMachine, options: object) => createActor(machine, options),
  'a light actor of the compiled machine': (machine: AnyStateMachine, options: object) =>
    createLightActor(compile(machine), options),
  'a light actor whose assignments answer the whole context': (machine: AnyStateMachine, options: object) =>
    createLightActor(compile(machine, { replacesContext: true }), options),
}

test.each(Object.entries(runners))('%s hands effects to itself, in order, with their params', (_, create) => {
  const taken: unknown[] = []
  const actor = create(lamp, {}) as unknown as AnyActorRef
  Object.assign(actor, { takeEffect: (...effect: unknown[]) => taken.push(effect) })
  const press = { type: 'press', by: 'me' }
  actor.start()
  actor.send(press)
  expect(taken).toEqual([
    ['light', { on: true }],
    ['told under another name', [{ n: 1 }, press]],
    ['light', undefined],
  ])
  expect(actor.getSnapshot().context).toEqual({ n: 2 })
})

test.each(Object.entries(runners))(
  '%s shows effects to inspectors under the names of its chart',
  (_, create) => {
    const seen: unknown[] = []
    const inspect = (event: { type: string; action?: { type: string } }) => {
      if (event.type === '@xstate.action') seen.push(event.action?.type)
    }
    const actor = create(lamp, { inspect }) as unknown as AnyActorRef
    Object.assign(actor, { takeEffect: () => {} })
    actor.start()
    actor.send({ type: 'press', by: 'me' })
    expect(seen).toEqual(['light', 'tell', 'light'])
  },
)
