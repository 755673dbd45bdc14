import { testExecutor } from 'espalier/testing'
import { describe, test } from 'vitest'
import { asyncExecutor } from '../../src/executors/async.ts'
import { createCommandExecutor } from '../../src/executors/command.ts'
import { createMachineExecutor } from '../../src/executors/machine.ts'
import { createProcessExecutor } from '../../src/executors/process.ts'
import { createThreadExecutor } from '../../src/executors/thread.ts'
import { commandBody, machineBody } from './contract-bodies.ts'

describe('async', () => testExecutor({ test, create: () => asyncExecutor }))
describe('thread', () => testExecutor({ test, create: () => createThreadExecutor() }))
describe('process', () => testExecutor({ test, create: () => createProcessExecutor() }))
describe('machine', () => testExecutor({ test, create: createMachineExecutor, body: machineBody }))
describe('command', () => testExecutor({ test, create: () => createCommandExecutor(), body: commandBody }))
