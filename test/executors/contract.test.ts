import { testExecutor } from 'espalier/testing'
import { describe, test } from 'vitest'
import { asyncExecutor } from '../../src/executors/async.ts'
import { createProcessExecutor } from '../../src/executors/process.ts'
import { createThreadExecutor } from '../../src/executors/thread.ts'

describe('async', () => testExecutor({ test, create: () => asyncExecutor }))
describe('thread', () => testExecutor({ test, create: () => createThreadExecutor() }))
describe('process', () => testExecutor({ test, create: () => createProcessExecutor() }))
