import { describe, expect, test } from 'vitest'
import { type ErrorCode, EspalierError, errorCodes, isEspalierError, show } from '../../src/domain/errors.ts'
import { toError } from '../../src/domain/thrown.ts'

type Details<Code extends ErrorCode> = EspalierError<Code>['details']

/** Facts for every code, and the words of its text: what was expected or happened, what came, what to do. */
const samples: { [Code in ErrorCode]: { details: Details<Code>; says: readonly string[] } } = {
  ESP_INVALID_OPTION: {
    details: { option: 'timeoutMs', expected: 'a number', got: 'soon' },
    says: ['"timeoutMs"', 'must be a number', '"soon"', 'try again'],
  },
  ESP_UNKNOWN_OPTION: {
    details: { of: 'a job', option: 'maxRetry', known: ['execute', 'maxRetries'] },
    says: ['"maxRetry"', 'a job', 'execute, maxRetries', 'Did you mean "maxRetries"?', 'leave it out'],
  },
  ESP_UNKNOWN_PRIORITY: {
    details: { jobId: 'j1', got: 'urgent' },
    says: ['"j1"', '"urgent"', "Use 'critical'"],
  },
  ESP_MISSING_HANDLER: {
    details: { jobId: 'j1', executor: 'async', expected: 'a function', got: 7 },
    says: ['"j1"', 'async', 'expects a function', 'got 7', 'Pass a function'],
  },
  ESP_UNSUPPORTED: {
    details: { jobId: 'j1', executor: 'async', field: 'transfer' },
    says: ['"j1"', '`transfer`', 'async executor', 'choose another executor'],
  },
  ESP_UNKNOWN_HANDLER: {
    details: { of: 'the pool', handler: 'lod', known: ['load'] },
    says: ['"lod"', "one of the pool's handlers", 'load', 'Did you mean "load"?', 'Add it'],
  },
  ESP_UNKNOWN_EXECUTOR: {
    details: { executor: 'gpu', known: ['async'] },
    says: ['"gpu"', 'async', 'Name one of'],
  },
  ESP_HOST_REFUSED: { details: { host: 'evil.example' }, says: ['"evil.example"', 'Use localhost'] },
  ESP_ORIGIN_REFUSED: { details: { origin: 'null' }, says: ['"null"', "server's own page", 'Bearer'] },
  ESP_TOKEN_REQUIRED: { details: {}, says: ['no token', 'Open the address'] },
  ESP_READ_ONLY: { details: {}, says: ['takes no commands', 'readOnly'] },
  ESP_NOT_JSON: { details: { got: 'text/plain' }, says: ['application/json', '"text/plain"', 'Send JSON'] },
  ESP_BAD_REQUEST: { details: { expected: 'JSON', got: '{' }, says: ['expected JSON', '"{"', 'Correct it'] },
  ESP_NOT_THERE: { details: { what: 'GET /x' }, says: ['"GET /x"', 'Look the name up'] },
  ESP_INTERNAL: { details: {}, says: ['failed', 'Its log tells more', 'report it'] },
  ESP_PAGE_MISSING: { details: {}, says: ['needs the page', 'not built', 'npm run build'] },
  ESP_EVENT_REFUSED: {
    details: { actor: 'pool', event: 'jobs.changed', known: ['pool.pause'] },
    says: ['"pool"', '"jobs.changed"', 'Send one of: pool.pause'],
  },
  ESP_UNSAFE_ADDRESS: { details: { host: '0.0.0.0' }, says: ['"0.0.0.0"', 'needs a token', '127.0.0.1'] },
  ESP_DUPLICATE_JOB: { details: { jobId: 'j1' }, says: ['"j1"', 'already submitted', 'Choose another id'] },
  ESP_DEPENDENCY_UNKNOWN: {
    details: { jobId: 'j1', dependency: 'j0' },
    says: ['"j1"', '"j0"', 'never submitted', 'Submit it first'],
  },
  ESP_DEPENDENCY_SELF: { details: { jobId: 'j1' }, says: ['j1 → j1', 'Remove it'] },
  ESP_DEPENDENCY_CYCLE: { details: { path: ['a', 'b', 'a'] }, says: ['a → b → a', 'Remove one'] },
  ESP_UNKNOWN_JOB: { details: { jobId: 'j1' }, says: ['"j1"', 'never accepted', '`keep`'] },
  ESP_POOL_CLOSED: {
    details: { state: 'draining' },
    says: ['draining', 'no new jobs', 'Submit before shutdown()'],
  },
  ESP_WAIT_TIMEOUT: {
    details: { what: 'Job "j1"', timeoutMs: 9 },
    says: ['Job "j1"', '9 ms', 'wait longer'],
  },
  ESP_JOB_CANCELLED: { details: { jobId: 'j1', reason: 'user' }, says: ['"j1"', 'cancelled: user'] },
  ESP_ATTEMPT_TIMEOUT: {
    details: { jobId: 'j1', attempt: 2, timeoutMs: 9 },
    says: ['Attempt 2', '"j1"', '9 ms', 'Raise `timeoutMs`'],
  },
  ESP_ATTEMPT_LOST: {
    details: { jobId: 'j1', attempt: 2, how: 'its thread ran out of memory' },
    says: ['Attempt 2', '"j1"', 'lost: its thread ran out of memory', '`maxLost`'],
  },
  ESP_MEMORY_LIMIT: {
    details: { jobId: 'j1', attempt: 2, limitBytes: 64, seenBytes: 600 },
    says: ['Attempt 2', '"j1"', '600 bytes', 'may take 64', 'Raise `memoryLimitBytes`'],
  },
  ESP_RESOURCES_EXCEEDED: {
    details: { jobId: 'j1', resource: 'gpu', demanded: 2, available: 1 },
    says: ['"j1"', '2 of `gpu`', 'has 1 in all', 'raise `limits`'],
  },
  ESP_UNUSABLE_MODULE: {
    details: { jobId: 'j1', module: 'file:///a.ts', problem: 'has no function as its export "b"' },
    says: ['"j1"', 'file:///a.ts', 'has no function', 'Correct `execute`'],
  },
  ESP_BUNDLED: {
    details: { file: 'executors/thread/worker' },
    says: ['executors/thread/worker is not where it was installed', 'bundler', 'mark `espalier` as external'],
  },
  ESP_CANNOT_CARRY: {
    details: { jobId: 'j1', what: 'args', carrier: 'JSON', path: '$[0].run', found: 'a function' },
    says: ['"j1"', 'args', 'JSON', '$[0].run is a function', 'Pass plain data'],
  },
  ESP_COMMAND_NOT_STARTED: {
    details: { jobId: 'j1', command: 'nope', code: 'ENOENT', originalMessage: '' },
    says: ['"nope"', '"j1"', 'ENOENT', 'no such program', 'install it'],
  },
  ESP_COMMAND_FAILED: {
    details: {
      jobId: 'j1',
      command: 'false',
      exitCode: undefined,
      signal: 'SIGSEGV',
      stdout: '',
      stderr: 'x: bad\n',
    },
    says: ['"false"', '"j1"', 'signal SIGSEGV', '"x: bad"', '`okExitCodes`'],
  },
  ESP_COMMAND_RESULT: {
    details: { jobId: 'j1', command: 'cat', expected: 'JSON on stdout', got: 'got "x"' },
    says: ['"cat"', '"j1"', 'JSON on stdout, but got "x"', 'Correct the command'],
  },
  ESP_CALLBACK_TIMEOUT: {
    details: { jobId: 'j1', timeoutMs: 9 },
    says: ['"j1"', '9 ms', 'not affected', 'raise `callbackTimeoutMs`'],
  },
  ESP_INVALID_WORKFLOW: {
    details: { expected: 'a name', got: 1 },
    says: ['a name', 'got 1', 'defineWorkflow'],
  },
  ESP_INVALID_INPUT: {
    details: { workflow: 'w', issues: ['k: too low', 'n: missing'] },
    says: ['"w"', 'k: too low; n: missing', 'Correct it'],
  },
  ESP_INVALID_DECISION: {
    details: { nodeId: 'n1', expected: 'a decision', got: 42 },
    says: ['42', '"n1"', 'a decision', 'Answer with grow()'],
  },
  ESP_EXPAND_FAILED: {
    details: { nodeId: 'n1', message: 'boom' },
    says: ['"n1"', 'boom', 'the run goes on'],
  },
  ESP_EXPAND_TIMEOUT: {
    details: { nodeId: 'n1', timeoutMs: 9 },
    says: ['"n1"', '9 ms', 'raise `limits.expandTimeoutMs`'],
  },
  ESP_NOT_STORABLE: {
    details: { what: 'The value', place: '.at', got: 'an object of the class Date' },
    says: ['The value must be JSON', '.at is', 'class Date', 'Use plain objects'],
  },
  ESP_NOT_DURABLE: { details: { jobId: 'j1', got: 7 }, says: ['"j1"', 'got 7', 'Name one of'] },
  ESP_VALUE_TOO_LARGE: {
    details: { jobId: 'j1', length: 9, longest: 8 },
    says: ['"j1"', '9 characters', '8 at most', 'Write it to a file'],
  },
  ESP_UNKNOWN_RUN: { details: { runId: 'r1', store: 'a.db' }, says: ['"r1"', 'a.db', 'espalier runs'] },
  ESP_STORE_OWNED: {
    details: { store: 'a.db', pid: 7, host: 'here', since: '2026-01-01T00:00:00.000Z' },
    says: ['a.db', 'process 7 on here', 'since 2026-01-01', 'Wait until'],
  },
  ESP_STORE_MISSING: { details: { store: 'a.db' }, says: ['a.db', 'one was expected', 'Check the path'] },
  ESP_STORE_EMPTY: { details: { store: 'a.db' }, says: ['a.db', 'a database was expected', 'Restore it'] },
  ESP_STORE_FOREIGN: {
    details: { store: 'a.db', what: 'a database of another program' },
    says: ['a.db', 'another program', 'Name another file'],
  },
  ESP_STORE_NEWER: {
    details: { store: 'a.db', known: 1, got: 2 },
    says: ['a.db', 'schema 2', 'knows 1', 'newer'],
  },
  ESP_STORE_SCHEMA: {
    details: { store: 'a.db', version: 1, fault: 'it has no table `inputs`' },
    says: ['a.db', 'schema 1', 'no table `inputs`', 'Use the espalier that made it'],
  },
  ESP_STORE_LOG_MISSING: { details: { store: 'a.db' }, says: ['a.db-wal', 'incomplete', 'Put the log back'] },
  ESP_STORE_CORRUPT: {
    details: { store: 'a.db', message: 'malformed' },
    says: ['a.db', 'malformed', 'Restore it'],
  },
  ESP_STORE_ROW_CORRUPT: {
    details: { field: 'spec', row: 'node', id: 'qc', message: 'Unexpected token' },
    says: ['`spec`', 'node "qc"', 'Unexpected token', 'JSON of its kind was expected', 'restore it'],
  },
  ESP_STORE_SQLITE: {
    details: { least: '3.51.3', got: '3.50.0' },
    says: ['3.51.3', '3.50.0', 'Update Node'],
  },
  ESP_STORE_UNUSABLE: {
    details: { store: 'a.db', message: 'read-only' },
    says: ['a.db', 'read-only', 'read and write'],
  },
  ESP_STORE_DIVERGED: {
    details: { store: 'a.db', what: 'job "j1"', expected: 'completed', got: 'failed' },
    says: ['a.db', 'job "j1"', '"completed"', '"failed"', 'Keep the file'],
  },
  ESP_STORE_REFUSED: {
    details: { store: 'a.db', message: 'disk is full' },
    says: ['a.db', 'disk is full', 'Nothing of it has happened', 'make room'],
  },
  ESP_RUN_STARTED: { details: { runId: 'r1' }, says: ['"r1"', 'already started', 'make a new one'] },
  ESP_RUN_ACTIVE: { details: { runId: 'r1' }, says: ['"r1"', 'going on', 'Wait for its end'] },
}

const cyclic: Record<string, unknown> = {}
cyclic.self = cyclic
const hostileValues: Record<string, unknown> = {
  'a throwing toJSON': {
    toJSON() {
      throw new Error('no')
    },
  },
  'a throwing getter': {
    get x(): never {
      throw new Error('no')
    },
  },
  'a throwing proxy': new Proxy(
    {},
    {
      get() {
        throw new Error('no')
      },
      ownKeys() {
        throw new Error('no')
      },
    },
  ),
  'a symbol': Symbol('s'),
  'a bigint': 10n,
  'a bigint inside': { big: 10n },
  'a cycle': cyclic,
  'an object without prototype': Object.create(null),
  'a toJSON that answers undefined': { toJSON: () => undefined },
  'a function whose name throws': Object.defineProperty(() => {}, 'name', {
    get() {
      throw new Error('no')
    },
  }),
  'a revoked proxy': (() => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    return proxy
  })(),
  undefined,
  null: null,
  NaN: Number.NaN,
}

describe('the error table', () => {
  test('has a sample here for every code', () => {
    expect(Object.keys(samples).sort()).toEqual(errorCodes.toSorted())
  })

  test.each(errorCodes)('renders %s with its facts and what to do', (code) => {
    const { details, says } = samples[code]
    const error = new EspalierError(code, details as never)
    for (const words of says) expect(error.message).toContain(words)
    expect(error.message.startsWith(`${code}: `)).toBe(true)
    expect(error).toMatchObject({ name: 'EspalierError', code, details })
  })

  test.each(errorCodes)('%s never shows a hole in its text', (code) => {
    expect(new EspalierError(code, samples[code].details as never).message).not.toMatch(
      /undefined|\[object|NaN/,
    )
  })

  test.each(Object.entries(hostileValues))('is not broken by %s', (_, got) => {
    const { message } = new EspalierError('ESP_INVALID_OPTION', { option: 'o', expected: 'good', got })
    expect(message).toMatch(/^ESP_INVALID_OPTION: Option "o" must be good, but is .+\. Correct/)
  })

  test('keeps the ends of a long path and says how much is between', () => {
    const path = Array.from({ length: 1_000 }, (_, index) => `j${index}`)
    const { message } = new EspalierError('ESP_DEPENDENCY_CYCLE', { path })
    expect(message).toContain('j0 → j1')
    expect(message).toContain('989 more')
    expect(message).toContain('→ j999')
    expect(message.length).toBeLessThan(300)
  })
})

test('a command to copy has a path with spaces as one word', () => {
  const { message } = new EspalierError('ESP_UNKNOWN_RUN', { runId: 'r1', store: "/my runs/it's.db" })
  expect(message).toContain(
    "in the store /my runs/it's.db. `espalier runs --store '/my runs/it'\\''s.db'` lists",
  )
})

describe('an error of the table', () => {
  test('is told apart by its code', () => {
    const error: unknown = new EspalierError('ESP_UNKNOWN_JOB', { jobId: 'x' })
    expect(isEspalierError(error)).toBe(true)
    expect(isEspalierError(error, 'ESP_UNKNOWN_JOB')).toBe(true)
    expect(isEspalierError(error, 'ESP_POOL_CLOSED')).toBe(false)
    expect(isEspalierError(new Error('ESP_UNKNOWN_JOB'))).toBe(false)
  })

  test('carries a cause', () => {
    const cause = new Error('below')
    expect(new EspalierError('ESP_UNKNOWN_JOB', { jobId: 'x' }, { cause }).cause).toBe(cause)
  })
})

describe('what is shown of a value', () => {
  test.each([
    ['text', '"text"'],
    [3, '3'],
    [10n, '10'],
    [null, 'null'],
    [undefined, 'undefined'],
    [{ a: 1 }, '{"a":1}'],
    [new Map([['a', 1]]), 'a Map'],
    [new Set(['a']), 'a Set'],
    [function named() {}, 'function named'],
    [Symbol('s'), 'Symbol(s)'],
  ])('%o is %s', (value, text) => {
    expect(show(value)).toBe(text)
  })

  test('is at most 120 characters long', () => {
    expect(show('x'.repeat(500))).toHaveLength(120)
    expect(show({ deep: 'x'.repeat(500) })).toHaveLength(120)
  })
})

describe('whatever was thrown', () => {
  test('is itself when it is an Error, a frozen one too', () => {
    const error = Object.freeze(new TypeError('t'))
    expect(toError(error)).toBe(error)
  })

  test.each(Object.entries(hostileValues))('becomes an Error with %s as its cause', (_, thrown) => {
    const error = toError(thrown)
    expect(error).toBeInstanceOf(Error)
    expect(error.cause).toBe(thrown)
    expect(error.message).toContain(show(thrown))
  })
})
