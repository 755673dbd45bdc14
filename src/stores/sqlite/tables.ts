import { DatabaseSync } from 'node:sqlite'
import { MIGRATIONS } from './schema.ts'

/** The columns of each table, in their order. */
type Tables = ReadonlyMap<string, string>

/** Those of each version that was asked for. */
const known = new Map<number, Tables>()

/**
 * What is wrong with the tables of a database that says it has a version of the schema; others that somebody has added are not.
 *
 * @returns The first fault, in words; `undefined` when there is none.
 */
export function faultInTables(db: DatabaseSync, version: number): string | undefined {
  const found = tablesOf(db)
  for (const [table, columns] of tablesOfVersion(version)) {
    const got = found.get(table)
    if (got === undefined) return `it has no table \`${table}\``
    if (got !== columns) return `its table \`${table}\` has the columns ${got}`
  }
  return undefined
}

function tablesOfVersion(version: number): Tables {
  const tables = known.get(version) ?? makeTables(version)
  known.set(version, tables)
  return tables
}

function makeTables(version: number): Tables {
  const db = new DatabaseSync(':memory:')
  try {
    for (const migration of MIGRATIONS.slice(0, version)) db.exec(migration)
    return tablesOf(db)
  } finally {
    db.close()
  }
}

function tablesOf(db: DatabaseSync): Tables {
  const rows = db.prepare(
    `SELECT name, (SELECT group_concat(name, ', ') FROM pragma_table_info(sqlite_schema.name)) AS columns
     FROM sqlite_schema WHERE type = 'table'`,
  )
  return new Map(rows.all().map(({ name, columns }) => [String(name), String(columns)]))
}
