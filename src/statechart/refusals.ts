import type { AnyStateMachine, AnyStateNode } from 'xstate'
import { guardName } from './guards.ts'
import { actionName } from './steps.ts'
import { eachNode } from './tree.ts'
import { type BuiltinGuard, builtinGuardKind, isAssign, isBuiltinAction, isEmit } from './xstate-internals.ts'

/**
 * Throws when a machine has a feature which the table cannot answer exactly.
 *
 * @throws {Error} Naming the state and the feature.
 */
export function refuseUnsupported(machine: AnyStateMachine): void {
  for (const node of eachNode(machine.root)) {
    refuseNode(node)
    const initial = node.initial.actions
    for (const action of [...node.entry, ...node.exit, ...initial]) refuseAction(action, node)
    for (const transition of [...node.transitions.values()].flat()) {
      for (const action of transition.actions) refuseAction(action, node)
      if (transition.guard) refuseGuard(transition.guard, node, [])
    }
  }
}

function refuseNode(node: AnyStateNode): void {
  const { config } = node
  if (node.type === 'history' || config.history) refuse(node, 'a history state')
  if (node.invoke.length > 0) refuse(node, '`invoke`')
  if (config.after !== undefined && Object.keys(config.after).length > 0) refuse(node, '`after`')
  if (node.always !== undefined) refuse(node, '`always`')
  const keys = Object.keys(node.states)
  if (keys.length > 0 && (node.type === 'atomic' || node.type === 'final')) {
    refuse(node, `child states in a state of type '${node.type}'`)
  }
  for (const key of keys) {
    if (key === '' || key.startsWith('#')) refuse(node, `the child state key '${key}'`)
  }
}

function refuseAction(action: unknown, node: AnyStateNode): void {
  if (typeof action === 'function') {
    if (isBuiltinAction(action) && !isAssign(action) && !isEmit(action))
      refuse(node, `the action '${action.type}'`)
    return
  }
  const implementation: unknown = node.machine.implementations.actions[actionName(action)]
  if (implementation === undefined) return
  if (typeof implementation !== 'function') {
    refuse(node, `the action '${actionName(action)}', which is implemented by another name`)
  }
  refuseAction(implementation, node)
}

function refuseGuard(guard: unknown, node: AnyStateNode, names: readonly string[]): void {
  if (typeof guard !== 'function') {
    const name = guardName(guard)
    if (names.includes(name)) refuse(node, `the guard '${name}', which refers to itself`)
    const implementation: unknown = node.machine.implementations.guards[name]
    if (implementation) refuseGuard(implementation, node, [...names, name])
    return
  }
  if (!('check' in guard)) return
  const builtin = guard as unknown as BuiltinGuard
  if (builtinGuardKind(builtin) === undefined) refuse(node, 'a guard with a `check` of its own')
  for (const part of builtin.guards ?? []) refuseGuard(part, node, names)
}

function refuse(node: AnyStateNode, feature: string): never {
  throw new Error(
    `Expected a machine that can be compiled, got ${feature} in state '${node.id}' of machine '${node.machine.id}'. ` +
      'Leave it out (an action with parameters and an event that answers it can stand in), or run the machine uncompiled.',
  )
}
