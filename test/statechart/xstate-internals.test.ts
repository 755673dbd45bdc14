import { describe, expect, it } from 'vitest'
import {
  Actor,
  and,
  assign,
  createActor,
  createMachine,
  emit,
  type InspectionEvent,
  not,
  or,
  raise,
  stateIn,
} from 'xstate'
import { isInspected } from '../../src/statechart/inspection.ts'
import {
  type BuiltinGuard,
  builtinGuardKind,
  createSystem,
  type InternalSystem,
  isAssign,
  isBuiltinAction,
  isEmit,
  observableKey,
  reportUnhandledError,
} from '../../src/statechart/xstate-internals.ts'

/** When one of these fails, XState has changed below its public API: see `src/statechart/xstate-internals.ts`. */
describe('XState is inside as this room expects', () => {
  const root = () => createActor(createMachine({}))
  const systemOf = (actor: { system: unknown }) => actor.system as InternalSystem

  it('gives a system these members, none of which looks up an actor by its session', () => {
    expect(Object.keys(root().system).sort()).toEqual(
      [
        ...[
          '_bookId',
          '_clock',
          '_logger',
          '_register',
          '_relay',
          '_sendInspectionEvent',
          '_set',
          '_snapshot',
        ],
        ...['_unregister', 'get', 'getAll', 'getSnapshot', 'inspect', 'scheduler', 'start'],
      ].sort(),
    )
    const { system } = root().start()
    expect([system.getAll(), system.get('x:0' as never)]).toEqual([{}, undefined])
  })

  it('gives an actor these members', () => {
    const actor = root()
    expect(Object.keys(actor)).toEqual(
      expect.arrayContaining([
        '_snapshot',
        '_processingStatus',
        '_parent',
        '_syncSnapshot',
        '_actorScope',
        'system',
      ]),
    )
    expect(Actor.prototype).toMatchObject({ _send: expect.any(Function), _stop: expect.any(Function) })
    expect(Object.keys((actor as unknown as { _actorScope: object })._actorScope).sort()).toEqual(
      ['actionExecutor', 'defer', 'emit', 'id', 'logger', 'self', 'sessionId', 'stopChild', 'system'].sort(),
    )
    expect(Object.getOwnPropertyNames(Actor.prototype).sort()).toEqual(
      [
        ...[
          '_complete',
          '_error',
          '_initState',
          '_process',
          '_reportError',
          '_send',
          '_stop',
          '_stopProcedure',
        ],
        ...[
          'attachDevTools',
          'constructor',
          'getPersistedSnapshot',
          'getSnapshot',
          'on',
          'select',
          'send',
          'start',
        ],
        ...[
          'stop',
          'subscribe',
          'toJSON',
          'update',
          ...(typeof observableKey === 'string' ? [observableKey] : []),
        ],
      ].sort(),
    )
    expect((actor as never)[observableKey]).toBeInstanceOf(Function)
  })

  it('numbers the states of an actor 0, 1 and 2', () => {
    const actor = root() as unknown as { _processingStatus: number; start(): void; stop(): void }
    const seen = [actor._processingStatus]
    actor.start()
    seen.push(actor._processingStatus)
    actor.stop()
    expect([...seen, actor._processingStatus]).toEqual([0, 1, 2])
  })

  it('books ids one after the other', () => {
    const system = systemOf(root())
    const [first, second] = [system._bookId(), system._bookId()].map((id) =>
      Number(/^x:(\d+)$/.exec(id)?.[1]),
    )
    expect(second).toBe((first as number) + 1)
  })

  it('copies an inspection event before handing it out, so that a probe tells whether anybody looks', () => {
    const system = systemOf(root())
    expect(isInspected(system)).toBe(false)
    const seen: InspectionEvent[] = []
    system.inspect((event) => seen.push(event))
    expect([isInspected(system), isInspected(system), seen]).toEqual([true, true, []])
    system._relay(undefined, root(), { type: 'hello' })
    expect(seen).toMatchObject([{ type: '@xstate.event', event: { type: 'hello' } }])
  })

  it('has a system whose root is ours', () => {
    const { system, rootId } = createSystem(undefined, undefined)
    const seen: InspectionEvent[] = []
    system.inspect((event) => seen.push(event))
    system._sendInspectionEvent({ type: 'ours' })
    expect(seen).toEqual([{ type: 'ours', rootId }])
  })

  it('marks its actions and guards by functions', () => {
    const guards = [and([]), or([]), not(() => true), stateIn('a')] as unknown as BuiltinGuard[]
    expect(guards.map(builtinGuardKind)).toEqual(['and', 'or', 'not', 'stateIn'])
    const actions = [assign({}), emit({ type: 'x' }), raise({ type: 'x' }), () => {}].map((action) =>
      isBuiltinAction(action) ? [action.type, isAssign(action), isEmit(action)] : 'custom',
    )
    expect(actions).toEqual([
      ['xstate.assign', true, false],
      ['xstate.emit', false, true],
      ['xstate.raise', false, false],
      'custom',
    ])
  })

  it('throws unhandled errors from a timer', () => {
    const timer = globalThis.setTimeout
    const tasks: (() => void)[] = []
    globalThis.setTimeout = ((task: () => void) => tasks.push(task)) as unknown as typeof setTimeout
    try {
      reportUnhandledError(new Error('nobody cared'))
    } finally {
      globalThis.setTimeout = timer
    }
    expect(tasks.length).toBe(1)
    expect(tasks[0]).toThrow('nobody cared')
  })
})
