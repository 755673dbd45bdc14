import type { RunStore } from './ports/run-store.ts'
import { catchUp } from './runtime/record/catch-up.ts'
import { openSqlite, type SqliteStoreOptions } from './stores/sqlite.ts'

export type { SqliteStoreOptions } from './stores/sqlite.ts'

/**
 * Opens a store in one SQLite file, and owns it until {@link RunStore.close}.
 *
 * Each tick of the runtime is one transaction, on disk before it is acknowledged (`journal_mode=WAL`, `synchronous=FULL`).
 * The file is made with mode 0600, and is readable with any SQLite tool, while it is in use too; to copy it, use
 * `VACUUM INTO`, since the log beside it is part of it. The rows of its table `jobs` may be behind the journal while a pool
 * works on it; all that is read here is caught up.
 *
 * @param file - Its path, which is no URI; what is `:memory:` elsewhere is `createMemoryStore()` here.
 * @throws {EspalierError} `ESP_INVALID_OPTION` for another `file`, `ESP_STORE_OWNED` while another process owns it, `ESP_STORE_FOREIGN`, `ESP_STORE_NEWER`,
 * `ESP_STORE_SCHEMA`, `ESP_STORE_EMPTY`, `ESP_STORE_MISSING`, `ESP_STORE_LOG_MISSING`, `ESP_STORE_CORRUPT`, `ESP_STORE_SQLITE` or
 * `ESP_STORE_UNUSABLE`; nothing has been changed.
 */
export function openSqliteStore(file: string, options: SqliteStoreOptions = {}): RunStore {
  return openSqlite(file, options, catchUp)
}
