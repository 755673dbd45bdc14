import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import type { CommandLine } from '../domain/command.ts'

/** What can be seen of why a program did not start: the system's code alone blames the program for all of it. */
export interface StartFacts {
  /** The `cwd` that does not exist. */
  readonly missingCwd?: string
  /** The `cwd` that is no directory. */
  readonly fileCwd?: string
  /** Where the program is, though the system has not found all that it takes to run it. */
  readonly found?: string
  /** What a script names in its first line. */
  readonly interpreter?: string | undefined
}

/** How much of a script is read: its first line is no longer on Linux or macOS. */
const FIRST_LINE_BYTES = 512
/** Where the system looks when there is no PATH. */
const DEFAULT_PATH = '/usr/bin:/bin'

/**
 * @param code - By which the system has refused to start it.
 * @param path - The PATH that it gets.
 */
export function startFactsOf(
  { command, cwd = '.' }: CommandLine,
  code: string,
  path: string = DEFAULT_PATH,
): StartFacts {
  if (!existsSync(cwd)) return { missingCwd: cwd }
  if (!statSync(cwd).isDirectory()) return { fileCwd: cwd }
  const found = code === 'ENOENT' ? findProgram(command, cwd, path) : undefined
  return found === undefined ? {} : { found, interpreter: interpreterOf(found) }
}

function findProgram(command: string, cwd: string, path: string): string | undefined {
  const folders = command.includes('/') ? [''] : path.split(delimiter)
  return folders.map((folder) => resolve(cwd, join(folder, command))).find((file) => existsSync(file))
}

/** What stands behind `#!`, a carriage return too: the system takes it for a part of the name. */
function interpreterOf(file: string): string | undefined {
  const bytes = Buffer.alloc(FIRST_LINE_BYTES)
  try {
    const fd = openSync(file, 'r')
    try {
      const text = bytes.toString('latin1', 0, readSync(fd, bytes))
      return /^#![ \t]*([^ \t\n]+)/.exec(text)?.[1]
    } finally {
      closeSync(fd)
    }
  } catch {
    // It can be run by those who may not read it.
    return undefined
  }
}
