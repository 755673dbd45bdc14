// Finds the Chromium that the browser tests drive, and installs Debian's when there is none: `node scripts/chromium.ts`.
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { run } from './tool.ts'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
const PACKAGES = ['chromium', 'fonts-dejavu-core']

/** The path of a Chromium: `CHROMIUM_PATH`, else the first that the `PATH` has; `undefined` when there is none. */
export function findChromium(): string | undefined {
  const given = process.env.CHROMIUM_PATH
  if (given !== undefined) return given
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/bin']
  return folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Debian's packages need no account and no download of their own; only root may install them. */
async function install(): Promise<void> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    console.warn(`No Chromium was found: the browser tests are skipped. Install one, or set CHROMIUM_PATH.`)
    return
  }
  console.log(`No Chromium was found: installing ${PACKAGES.join(' and ')} with apt-get.`)
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', ...PACKAGES]]) {
    const ran = await run('apt-get', args)
    if (!ran.ok) {
      console.warn(`apt-get ${args[0]}: ${ran.why}\n${ran.output}`)
      return
    }
  }
}

if (import.meta.main && findChromium() === undefined) await install()
