import { syncBuiltinESMExports } from 'node:module'

/** Ends this thread or process, whatever `process.exit` has become. */
export const exit: (code: number) => never = process.exit.bind(process)

/**
 * Has handlers ask before `process.exit` ends this thread or process, by whatever name they have imported it.
 *
 * @param mayExit - Where it answers `false`, the caller is thrown out instead: nothing may follow a `process.exit`.
 */
export function guardExit(mayExit: () => boolean): void {
  process.exit = (code) => {
    if (mayExit()) exit(code as number)
    throw new Error('process.exit() was called by what an ended attempt has left; it ends with its process.')
  }
  syncBuiltinESMExports()
}
