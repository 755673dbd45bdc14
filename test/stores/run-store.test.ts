import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { testRunStore } from 'espalier/testing'
import { afterAll, describe, test } from 'vitest'
import { openSqliteStore } from '../../src/sqlite-store.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'

const folder = mkdtempSync(join(tmpdir(), 'espalier-store-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('the memory store', () => {
  testRunStore({ open: createMemoryStore, test })
})

describe('the sqlite store', () => {
  let files = 0
  testRunStore({
    open: () => openSqliteStore(join(folder, `${++files}.db`)),
    reopen: (store) => {
      store.close()
      return openSqliteStore(store.name, { mustExist: true })
    },
    test,
  })
})
