import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { isEspalierError } from '../../src/domain/errors.ts'
import type { JobRecord, RunStore } from '../../src/ports/run-store.ts'
import { openSqliteStore } from '../../src/sqlite-store.ts'
import { runRecord } from '../../src/testing/contracts/store-records.ts'
import { batch, job } from './jobs.ts'

const sqlite = import.meta.resolve('../../src/sqlite-store.ts')
const folder = mkdtempSync(join(tmpdir(), 'espalier-sqlite-'))
const children: ChildProcess[] = []
let files = 0
let file: string
beforeEach(() => {
  file = join(folder, `${++files}.db`)
})
afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(folder, { recursive: true })
})

const codeOf = (work: () => unknown): unknown => {
  try {
    work()
    return 'none'
  } catch (error) {
    return isEspalierError(error) ? error.code : error
  }
}

/** A closed store of one job. */
function made(): string {
  const store = openSqliteStore(file)
  store.commit(batch(job(1)))
  store.close()
  return file
}

async function owned(): Promise<ChildProcess> {
  const script = join(import.meta.dirname, 'fixtures/owner.ts')
  const child = spawn(process.execPath, ['--conditions=espalier-source', script, file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  await once(child.stdout as NodeJS.ReadableStream, 'data')
  return child
}

describe('the owner', () => {
  test('is alone: a second process is refused, and told who owns the store since when', async () => {
    const child = await owned()
    const error = await Promise.resolve()
      .then(() => openSqliteStore(file))
      .catch((thrown) => thrown)
    expect(error).toMatchObject({ code: 'ESP_STORE_OWNED', details: { pid: child.pid } })
    expect(Date.parse(error.details.since)).toBeLessThanOrEqual(Date.now())
    const reader = openSqliteStore(file, { readOnly: true })
    expect(reader.lastKey).toBe(0)
    reader.close()
  })

  test('that was killed is replaced', async () => {
    const child = await owned()
    child.kill('SIGKILL')
    await once(child, 'exit')
    const store = openSqliteStore(file, { mustExist: true })
    expect(store.lastKey).toBe(0)
    store.close()
  })

  test('that died is not mistaken for another process of the same number', () => {
    const store = openSqliteStore(file)
    const db = new DatabaseSync(file)
    db.prepare('UPDATE owner SET started = ?').run('some other time')
    db.close()
    // This process itself is alive, and its number is the owner's.
    expect(codeOf(() => openSqliteStore(file).close())).toBe('none')
    store.close()
  })

  test('on another machine counts as alive', () => {
    const store = openSqliteStore(file)
    const db = new DatabaseSync(file)
    db.prepare('UPDATE owner SET host = ?').run('elsewhere')
    db.close()
    expect(codeOf(() => openSqliteStore(file))).toBe('ESP_STORE_OWNED')
    store.close()
  })

  test('alone may read and write its file', () => {
    expect(statSync(made()).mode & 0o777).toBe(0o600)
  })
})

test('a process that dies while it makes a store leaves a whole one, or none', () => {
  const script = join(import.meta.dirname, 'fixtures/dying-maker.ts')
  const make = (calls: number) =>
    spawnSync(process.execPath, ['--conditions=espalier-source', script, file, String(calls)])
  let calls = 0
  let isThere = false
  while (!isThere) {
    expect(make(++calls).signal).toBe('SIGKILL')
    isThere = existsSync(file)
    const store = openSqliteStore(file)
    store.commit(batch(job(1)))
    store.close()
    rmSync(file)
  }
  expect(calls).toBeGreaterThan(8)
})

test('a process that dies while it opens a store, or closes it, leaves it to the next', () => {
  const images: string[] = []
  const parts = ['', '-wal', '-shm']
  const spies = (['exec', 'close'] as const).map((name) => {
    const call = DatabaseSync.prototype[name] as (...given: unknown[]) => void
    return vi.spyOn(DatabaseSync.prototype, name).mockImplementation(function (
      this: DatabaseSync,
      ...given: unknown[]
    ) {
      call.apply(this, given)
      const image = `${file}.${images.length}`
      images.push(image)
      for (const part of parts) if (existsSync(file + part)) copyFileSync(file + part, image + part)
    })
  })
  made()
  const whenMade = images.findIndex(existsSync)
  openSqliteStore(file).close()
  for (const spy of spies) spy.mockRestore()
  expect(images.length - whenMade).toBeGreaterThan(20)
  for (const image of images.slice(whenMade)) {
    const reader = openSqliteStore(image, { readOnly: true })
    expect(reader.lastKey).toBeLessThan(2)
    reader.close()
  }
})

test.each(['', 'process.exit(1)', 'throw new Error()'])(
  'a process that ends with "%s" and has not closed its store leaves it to the next',
  (end) => {
    const script = `const { openSqliteStore } = await import(${JSON.stringify(sqlite)}); openSqliteStore(process.argv[1]); ${end}`
    const args = ['--conditions=espalier-source', '--input-type=module', '-e', script, file]
    expect(spawnSync(process.execPath, args).signal).toBe(null)
    openSqliteStore(file, { mustExist: true }).close()
  },
)

describe('a file that is not a whole store is refused, and left as it was', () => {
  /** The file, and what lies beside it. */
  const found = () =>
    readdirSync(folder)
      .filter((name) => join(folder, name).startsWith(file))
      .map((name) => [name, name.endsWith('-shm') || readFileSync(join(folder, name))])
  const refused = (code: string, readOnly = false) => {
    const before = found()
    expect(codeOf(() => openSqliteStore(file, { mustExist: true, readOnly }))).toBe(code)
    expect(found()).toEqual(before)
  }
  /** The files of a store as a crash leaves them, or as they are copied. */
  const left = (store: RunStore, ...parts: string[]) => {
    const copy = `${store.name}.left`
    for (const part of ['', ...parts]) copyFileSync(store.name + part, copy + part)
    file = copy
  }

  test('missing', () => refused('ESP_STORE_MISSING'))

  test('empty', () => {
    writeFileSync(file, 'x')
    refused('ESP_STORE_EMPTY')
    writeFileSync(file, '')
    refused('ESP_STORE_EMPTY')
    expect(codeOf(() => openSqliteStore(file))).toBe('ESP_STORE_EMPTY')
  })

  test('no database at all', () => {
    for (const length of [2, 200, 5_000]) {
      writeFileSync(file, 'x'.repeat(length))
      refused('ESP_STORE_FOREIGN')
      refused('ESP_STORE_FOREIGN', true)
    }
    expect(() => openSqliteStore(file)).toThrow('is no database, or no longer one')
  })

  test('cut off', () => {
    truncateSync(made(), 5_000)
    refused('ESP_STORE_CORRUPT')
  })

  test("another program's", () => {
    const db = new DatabaseSync(file)
    db.exec('PRAGMA journal_mode = WAL; CREATE TABLE theirs (a)')
    db.close()
    refused('ESP_STORE_FOREIGN', true)
    refused('ESP_STORE_FOREIGN')
  })

  test('of a newer espalier', () => {
    const db = new DatabaseSync(made())
    db.exec('PRAGMA user_version = 999')
    db.close()
    refused('ESP_STORE_NEWER')
    refused('ESP_STORE_NEWER', true)
  })

  test.each([
    ['a table is missing', 'DROP TABLE inputs', 'it has no table `inputs`'],
    ['a column is missing', 'ALTER TABLE nodes DROP COLUMN score', 'its table `nodes` has the columns run, '],
  ])('made with an unreleased schema: %s', (_, sql, fault) => {
    const db = new DatabaseSync(made())
    db.exec(sql)
    db.close()
    refused('ESP_STORE_SCHEMA')
    refused('ESP_STORE_SCHEMA', true)
    expect(() => openSqliteStore(file)).toThrow(fault)
  })

  test('with tables and an index of somebody else it is a store still', () => {
    const db = new DatabaseSync(made())
    db.exec('CREATE TABLE theirs (a); CREATE INDEX by_label ON nodes (parent)')
    db.close()
    openSqliteStore(file, { mustExist: true }).close()
  })

  test('copied without its log while it was in use, however often it is opened', () => {
    const store = openSqliteStore(file)
    store.commit(batch(job(1)))
    left(store)
    for (const readOnly of [true, true, false, false, true]) refused('ESP_STORE_LOG_MISSING', readOnly)
    store.close()
  })

  test('whose log was emptied', async () => {
    const child = await owned()
    child.kill('SIGKILL')
    await once(child, 'exit')
    truncateSync(`${file}-wal`, 0)
    for (const readOnly of [true, false, true]) refused('ESP_STORE_LOG_MISSING', readOnly)
  })

  test('for another reason, while its log has what it has not: the log is not touched', () => {
    const store = openSqliteStore(file)
    store.commit(batch(job(1)))
    left(store, '-wal', '-shm')
    refused('ESP_STORE_OWNED')
    refused('ESP_STORE_OWNED')
    file = store.name
    const db = new DatabaseSync(file)
    db.exec('PRAGMA user_version = 999')
    left(store, '-wal', '-shm')
    refused('ESP_STORE_NEWER')
    refused('ESP_STORE_NEWER', true)
    db.exec('PRAGMA user_version = 1')
    db.close()
    store.close()
  })

  test('closed after a crash by another SQLite tool, until that has taken the owner out: all is there then', () => {
    const store = openSqliteStore(file)
    store.commit(batch(job(1)))
    const crashed = `${file}.crashed`
    for (const part of ['', '-wal']) copyFileSync(file + part, crashed + part)
    store.close()
    file = crashed
    const tool = new DatabaseSync(file)
    tool.exec('SELECT * FROM owner')
    tool.close()
    refused('ESP_STORE_LOG_MISSING')
    tool.open()
    tool.exec('DELETE FROM owner')
    tool.close()
    const mended = openSqliteStore(file)
    expect(mended.size().jobs).toBe(1)
    mended.close()
  })

  test('in a folder that does not exist', () => {
    file = join(folder, 'nowhere', 'a.db')
    expect(() => openSqliteStore(file)).toThrow(`there is no folder ${join(folder, 'nowhere')}`)
    expect(codeOf(() => openSqliteStore(file))).toBe('ESP_STORE_UNUSABLE')
  })

  test.each([
    ['a folder', () => mkdirSync(file), 'it is a folder'],
    ['a pipe', () => execFileSync('mkfifo', [file]), 'it is no file to keep data in'],
    [
      'a link to nothing',
      () => symlinkSync(`${file}.gone`, file),
      'it is a link to a file that is not there',
    ],
  ])('that is %s', (_, make, message) => {
    make()
    for (const readOnly of [false, true]) {
      const refusal = { code: 'ESP_STORE_UNUSABLE', message: expect.stringContaining(message) }
      expect(() => openSqliteStore(file, { readOnly })).toThrow(expect.objectContaining(refusal))
    }
    expect(readdirSync(folder).filter((name) => join(folder, name).startsWith(`${file}-`))).toEqual([])
  })

  test('made unwritable', () => {
    chmodSync(made(), 0o400)
    // The superuser may write to any file.
    if (process.getuid?.() === 0) return expect(codeOf(() => openSqliteStore(file).close())).toBe('none')
    refused('ESP_STORE_UNUSABLE')
  })
})

test('a file that another program writes to is not called unreadable: the error says to wait', () => {
  openSqliteStore(file).close()
  const other = new DatabaseSync(file)
  other.exec('BEGIN IMMEDIATE')
  try {
    const refusal = {
      code: 'ESP_STORE_UNUSABLE',
      message: expect.stringContaining('Another program is at work'),
    }
    expect(() => openSqliteStore(file)).toThrow(expect.objectContaining(refusal))
  } finally {
    other.close()
  }
  openSqliteStore(file).close()
})

test('a damaged page is told when it is read, and nothing is made up for it', () => {
  const store = openSqliteStore(file)
  for (let key = 1; key <= 200; key++) store.commit(batch(job(key, 500)))
  store.close()
  const bytes = readFileSync(file)
  bytes.fill(0xa5, bytes.length - 40_000, bytes.length - 20_000)
  writeFileSync(file, bytes)
  const code = codeOf(() => {
    const again = openSqliteStore(file, { readOnly: true })
    try {
      return [...again.jobs(undefined)].length
    } finally {
      again.close()
    }
  })
  expect(code).toBe('ESP_STORE_CORRUPT')
})

describe('the log', () => {
  const logSize = () => statSync(`${file}-wal`).size

  test('gets all its room once a process has committed often: later commits make it no longer', () => {
    const store = openSqliteStore(file)
    for (let key = 1; key <= 60; key++) store.commit(batch(job(key)))
    expect(logSize()).toBeLessThan(1_000_000)
    for (let key = 61; key <= 70; key++) store.commit(batch(job(key)))
    const size = logSize()
    expect(size).toBeGreaterThan(4_000_000)
    for (let key = 71; key <= 1_500; key++) store.commit(batch(job(key)))
    expect(logSize()).toBeLessThan(size * 1.1)
    expect(store.size()).toMatchObject({ jobs: 1_500, outputs: 0 })
    store.close()
  })

  test('is short after pruning, and never empty while there is an owner', () => {
    const store = openSqliteStore(file)
    expect(logSize()).toBeGreaterThan(0)
    for (let key = 1; key <= 70; key++) store.commit(batch(job(key)))
    store.prune({ now: 0, keep: {} })
    expect(logSize()).toBeGreaterThan(0)
    expect(logSize()).toBeLessThan(10_000)
    store.close()
    expect(existsSync(`${file}-wal`)).toBe(false)
  })

  test('that was given room is read by whoever opens the store after a crash', () => {
    const writer = openSqliteStore(file)
    for (let key = 1; key <= 100; key++) writer.commit(batch(job(key)))
    for (const part of ['', '-wal']) copyFileSync(`${file}${part}`, `${file}-copy${part}`)
    writer.close()
    // Whom the copy names as its owner is alive: this process.
    const copy = new DatabaseSync(`${file}-copy`)
    copy.exec('DELETE FROM owner')
    copy.close()
    const store = openSqliteStore(`${file}-copy`)
    expect([...store.jobs(undefined)].length).toBe(100)
    store.close()
  })
})

test('a copy made with VACUUM INTO is a store that nobody owns, also while what was copied is in use', () => {
  const store = openSqliteStore(file)
  store.commit(batch(job(1)))
  const copy = `${file}.copy`
  const tool = new DatabaseSync(file)
  tool.exec(`VACUUM INTO '${copy}'`)
  tool.close()
  const reader = openSqliteStore(copy, { readOnly: true })
  expect([reader.lastKey, reader.owner()]).toEqual([1, undefined])
  reader.close()
  const again = openSqliteStore(copy)
  expect([again.lastKey, again.owner()?.pid]).toEqual([1, process.pid])
  expect(codeOf(() => openSqliteStore(copy))).toBe('ESP_STORE_OWNED')
  again.close()
  store.close()
})

test('a store is read through a symbolic link while it is in use', () => {
  const store = openSqliteStore(file)
  symlinkSync(file, `${file}.link`)
  const reader = openSqliteStore(`${file}.link`, { readOnly: true })
  expect(reader.owner()?.pid).toBe(process.pid)
  reader.close()
  store.close()
})

test.each([
  ['file:a.db', 'the file system'],
  ['file:m?mode=memory', 'the file system'],
  [':memory:', 'createMemoryStore()'],
  ['', 'the file system'],
])('%j is no path of a store: it is refused, and nothing is made', (path, advice) => {
  const cwd = process.cwd()
  const empty = mkdtempSync(join(folder, 'empty-'))
  process.chdir(empty)
  try {
    for (const readOnly of [true, false]) {
      expect(() => openSqliteStore(path, { readOnly })).toThrow(
        expect.objectContaining({ code: 'ESP_INVALID_OPTION', message: expect.stringContaining(advice) }),
      )
    }
    expect(readdirSync(empty)).toEqual([])
  } finally {
    process.chdir(cwd)
  }
})

test.each(['a name with spaces?mode=ro#x%20.db', './file:a.db', 'ünïcode.db'])(
  '%j is the name of a file like any other',
  (name) => {
    const cwd = process.cwd()
    const own = mkdtempSync(join(folder, 'names-'))
    process.chdir(own)
    try {
      const store = openSqliteStore(name)
      store.commit(batch(job(1)))
      const reader = openSqliteStore(name, { readOnly: true })
      expect(reader.lastKey).toBe(1)
      reader.close()
      store.close()
      const again = openSqliteStore(name, { mustExist: true })
      expect(again.lastKey).toBe(1)
      again.close()
      expect(readdirSync('.')).toEqual([name.replace('./', '')])
      expect(statSync(name).mode & 0o777).toBe(0o600)
    } finally {
      process.chdir(cwd)
    }
  },
)

describe('a full disk', () => {
  /** Opens a store, and gives its connection too, whose size can be limited. */
  function open(): { store: RunStore; limitPages: (pages: number) => number; refuseWrites: () => void } {
    let connection: DatabaseSync | undefined
    const { exec } = DatabaseSync.prototype
    const spy = vi.spyOn(DatabaseSync.prototype, 'exec').mockImplementation(function (
      this: DatabaseSync,
      sql,
    ) {
      connection = this
      exec.call(this, sql)
    })
    const store = openSqliteStore(file)
    spy.mockRestore()
    const pragma = (name: string) =>
      Number(Object.values(connection?.prepare(`PRAGMA ${name}`).get() ?? {})[0])
    return {
      store,
      limitPages: (more) => pragma(`max_page_count = ${pragma('page_count') + more}`),
      refuseWrites: () => connection?.exec('PRAGMA query_only = ON'),
    }
  }

  test('that leaves no room for a store is told as such, and nothing of it stays', () => {
    const { exec } = DatabaseSync.prototype
    const spy = vi.spyOn(DatabaseSync.prototype, 'exec').mockImplementation(function (
      this: DatabaseSync,
      sql,
    ) {
      if (sql.startsWith('BEGIN')) this.prepare('PRAGMA max_page_count = 1').get()
      exec.call(this, sql)
    })
    const refusal = { code: 'ESP_STORE_UNUSABLE', message: expect.stringContaining('Make room on its disk') }
    expect(() => openSqliteStore(file)).toThrow(expect.objectContaining(refusal))
    spy.mockRestore()
    expect(readdirSync(folder).filter((name) => join(folder, name).startsWith(file))).toEqual([])
    openSqliteStore(file).close()
  })

  test('does not keep a store from being closed, and opened again once there is room', () => {
    const { store, refuseWrites } = open()
    store.commit(batch(job(1)))
    // While somebody reads, the log stays.
    const reader = openSqliteStore(file, { readOnly: true })
    refuseWrites()
    store.close()
    const again = openSqliteStore(file)
    expect(codeOf(() => openSqliteStore(file))).toBe('ESP_STORE_OWNED')
    expect([...again.jobs(undefined)].map(({ id }) => id)).toEqual(['j1'])
    for (const each of [reader, again]) each.close()
  })

  test.each([
    { full: 'the log', blocksBefore: 0, blocks: 600 },
    { full: 'the database', blocksBefore: 2_000, blocks: 1_200 },
  ])(
    'where $full can grow no more leaves a store that the next process opens',
    ({ blocksBefore, blocks }) => {
      const script = join(import.meta.dirname, 'fixtures/fill.ts')
      const fill = (limit: number | 'unlimited', until: number) => {
        const node = [process.execPath, '--conditions=espalier-source', script, file, String(until)]
        const { stdout, stderr } = spawnSync('sh', ['-c', `ulimit -f ${limit}; exec "$@"`, 'sh', ...node], {
          encoding: 'utf8',
        })
        expect(stderr).toBe('')
        return Number(stdout)
      }
      if (blocksBefore > 0) fill('unlimited', blocksBefore)
      const accepted = fill(blocks, 0)
      expect(accepted).toBeGreaterThan(10)
      const store = openSqliteStore(file)
      expect([...store.jobs(undefined)].length).toBe(accepted)
      store.close()
    },
  )

  test('without room for the whole log takes commits as long as it has any', () => {
    const { store, limitPages } = open()
    for (let key = 1; key <= 60; key++) store.commit(batch(job(key)))
    limitPages(10)
    for (let key = 61; key <= 80; key++) store.commit(batch(job(key)))
    expect(store.size()).toMatchObject({ jobs: 80, outputs: 0 })
    store.close()
  })

  test.each([0, 1, 2, 3, 5, 8])(
    'after %i more pages refuses the commit, and keeps all before it',
    (pages) => {
      const { store, limitPages } = open()
      store.commit(batch(job(1)))
      limitPages(pages)
      let last = 1
      let code: unknown = 'none'
      for (let key = 2; code === 'none' && key < 200; key++) {
        code = codeOf(() => store.commit(batch(job(key, 3_000))))
        if (code === 'none') last = key
      }
      expect(code).toBe('ESP_STORE_REFUSED')
      expect([store.lastKey, [...store.jobs(undefined)].length]).toEqual([last, last])
      limitPages(1_000)
      store.commit(batch(job(last + 1, 3_000)))
      store.close()
      const again = openSqliteStore(file)
      expect([...again.jobs(undefined)].map(({ key }) => key)).toEqual(
        Array.from({ length: last + 1 }, (_, i) => i + 1),
      )
      again.close()
    },
  )
})

test.skipIf(process.platform !== 'linux')(
  'a large input of a run is written once, however often the run changes',
  () => {
    const written = () => Number(/wchar: (\d+)/.exec(readFileSync('/proc/self/io', 'utf8'))?.[1])
    const run = { ...runRecord('r1'), input: JSON.stringify('x'.repeat(4_000_000)) }
    const store = openSqliteStore(file)
    store.commit({ ...batch(), runs: [run] })
    const before = written()
    for (let decisions = 1; decisions <= 20; decisions++)
      store.commit({ ...batch(), runs: [{ ...run, decisions }] })
    expect(written() - before).toBeLessThan(2 * run.input.length)
    expect(store.run('r1')).toEqual({ ...run, decisions: 20 })
    store.close()
  },
)

describe('with `keep`', () => {
  const ended = (key: number, state: 'completed' | 'failed', at: number): JobRecord => ({
    ...job(key),
    state,
    end: {
      at,
      value: undefined,
      error: undefined,
      reason: undefined,
      cancelledBy: undefined,
      causedBy: undefined,
      usage: undefined,
    },
  })
  const known = (store: RunStore) => Array.from(store.jobs(undefined), ({ id }) => id)

  test('lets go of what is too old or too much when it is opened, and of nothing else', () => {
    const first = openSqliteStore(file)
    first.commit(batch(ended(1, 'completed', 10), ended(2, 'completed', 20), ended(3, 'failed', 10), job(4)))
    first.commit({ ...batch(), events: [] })
    first.close()
    const reader = openSqliteStore(file, { readOnly: true, keep: 0 })
    expect(known(reader)).toHaveLength(4)
    reader.close()
    const byCount = openSqliteStore(file, { keep: { completed: 1 } })
    expect(known(byCount)).toEqual(['j2', 'j3', 'j4'])
    byCount.close()
    const byAge = openSqliteStore(file, { keep: { failed: { ageMs: 50 } }, now: () => 61 })
    expect(known(byAge)).toEqual(['j2', 'j4'])
    byAge.close()
  })

  test('lets go of more after each ten thousand ends, and the file stops growing', () => {
    const store = openSqliteStore(file, { keep: 100 })
    const sizes: number[] = []
    for (let round = 0; round < 6; round++) {
      const jobs = Array.from({ length: 10_000 }, (_, index) => job(round * 10_000 + index + 1))
      store.commit(batch(...jobs))
      store.commit({ ...batch(), changed: jobs.map(({ key }) => ended(key, 'completed', key)) })
      sizes.push(store.size().bytes)
      expect(store.size().jobs).toBe(100)
    }
    expect(known(store).at(-1)).toBe('j60000')
    expect(sizes.at(-1)).toBeLessThan((sizes[0] as number) * 1.3)
    store.close()
  })

  test.each([[{ completed: -1 }], [{ done: 1 }], ['all']])('%j is refused', (keep) => {
    expect(codeOf(() => openSqliteStore(file, { keep: keep as never }))).toMatch(
      /^ESP_(INVALID|UNKNOWN)_OPTION$/,
    )
    expect(existsSync(file)).toBe(false)
  })
})
