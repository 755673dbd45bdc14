import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqliteStore } from 'espalier'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const NOBODY = 65_534
const espalier = import.meta.resolve('espalier')

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'espalier-other-user-'))
  chmodSync(folder, 0o755)
})
afterEach(() => rmSync(folder, { recursive: true }))

/** What a user without rights meets who opens a store: the code of the error, or `none`. */
function openAsNobody(file: string): string {
  const script = `
    const { openSqliteStore } = await import(${JSON.stringify(espalier)})
    process.setgroups([])
    process.setgid(${NOBODY})
    process.setuid(${NOBODY})
    try {
      openSqliteStore(${JSON.stringify(file)}).close()
      console.log('none')
    } catch (error) {
      console.log(error.code)
    }`
  const args = ['--conditions=espalier-source', '--input-type=module', '-e', script]
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  expect(stderr).toBe('')
  return stdout.trim()
}

// The superuser may write to any file, and become another user.
describe.runIf(process.getuid?.() === 0)('to a user without rights', () => {
  test('a store that may only be read is refused, and left as it was', () => {
    const file = join(folder, 'a.db')
    openSqliteStore(file).close()
    chmodSync(file, 0o444)
    const before = readFileSync(file)
    expect(openAsNobody(file)).toBe('ESP_STORE_UNUSABLE')
    expect(readFileSync(file)).toEqual(before)
  })

  test('a store that may not even be read is refused', () => {
    const file = join(folder, 'a.db')
    openSqliteStore(file).close()
    expect(openAsNobody(file)).toBe('ESP_STORE_UNUSABLE')
  })

  test('a store cannot be made in a folder of others', () => {
    expect(openAsNobody(join(folder, 'a.db'))).toBe('ESP_STORE_UNUSABLE')
  })

  test('a store in a folder that may not be looked into is refused', () => {
    const file = join(folder, 'a.db')
    openSqliteStore(file).close()
    chmodSync(folder, 0o700)
    expect(openAsNobody(file)).toBe('ESP_STORE_UNUSABLE')
  })

  test('a store can be made in a folder of its own', () => {
    const own = join(folder, 'own')
    mkdirSync(own)
    chmodSync(own, 0o777)
    expect(openAsNobody(join(own, 'a.db'))).toBe('none')
  })
})
