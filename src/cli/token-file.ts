import { randomBytes } from 'node:crypto'
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join } from 'node:path'
import process from 'node:process'
import { UsageError } from './usage-error.ts'

const VARIABLE = 'ESPALIER_INSPECTOR_TOKEN'

/**
 * The token of this user's inspectors: from the environment, or from a file that only the user can read, made when there
 * is none.
 *
 * @throws {UsageError} When there is no folder for the file, it cannot be made, or others can read it.
 */
export async function inspectorToken(environment: NodeJS.ProcessEnv = process.env): Promise<string> {
  const given = environment[VARIABLE]
  if (given !== undefined && given !== '') return given
  return tokenIn(join(stateFolder(environment), 'espalier/inspector-token'))
}

/** Never one that depends on where the command was called: what is there is shared and committed. */
function stateFolder({ XDG_STATE_HOME = '' }: NodeJS.ProcessEnv): string {
  // By its specification, a relative path counts for nothing.
  if (isAbsolute(XDG_STATE_HOME)) return XDG_STATE_HOME
  const home = homeFolder()
  if (isAbsolute(home)) return join(home, '.local/state')
  throw new UsageError(
    `The inspector's token cannot be kept: there is no home folder, "${home}" being no absolute path. ` +
      `Give one in ${VARIABLE}, or a folder in XDG_STATE_HOME.`,
  )
}

/** Empty for a user who has none. */
function homeFolder(): string {
  try {
    return homedir()
  } catch {
    return ''
  }
}

async function tokenIn(file: string): Promise<string> {
  const token = randomBytes(32).toString('base64url')
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    await writeFile(file, `${token}\n`, { flag: 'wx', mode: 0o600 })
    // What the process's umask leaves is not for this file to depend on.
    await chmod(file, 0o600)
    return token
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw new UsageError(
        `The inspector's token cannot be kept in ${file}: ${(error as Error).message}. Give one in ${VARIABLE}, or ` +
          'another folder in XDG_STATE_HOME.',
      )
    }
  }
  const { mode } = await stat(file)
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new UsageError(
      `The inspector's token in ${file} can be read by others (mode ${(mode & 0o777).toString(8)}). ` +
        `Remove the file, so that a fresh token is made, or give one in ${VARIABLE}.`,
    )
  }
  return (await readFile(file, 'utf8')).trim()
}
