declare module 'better-sqlite3' {
  /** As far as the benches use it. */
  export default class Database {
    constructor(file: string)
    close(): void
  }
}
