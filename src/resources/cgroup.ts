/** Reads a file whole; `undefined` when it is not there or not for us. */
export type ReadFile = (path: string) => string | undefined

/** What the cgroups that this process is in allow it. */
export interface CgroupLimits {
  /** The least CPU time of all levels, in cores; absent: no limit. */
  readonly cpus: number | undefined
  /** Every level that limits memory. */
  readonly memory: readonly { readonly limitBytes: number; readonly usedBytes: number }[]
}

/** Version 1 says "no limit" with a number near 2⁶³. */
const UNLIMITED_BYTES = 2 ** 60

/**
 * Reads the limits of both versions of cgroups, on every level up to the mount: an outer one binds the inner ones.
 *
 * On a machine that has both mounted, whichever knows a limit is heard. Elsewhere there are no files and no limits.
 */
export function readCgroupLimits(read: ReadFile): CgroupLimits {
  const groups = read('/proc/self/cgroup') ?? ''
  const mounts = read('/proc/self/mountinfo') ?? ''
  const cpus: number[] = []
  const memory: { limitBytes: number; usedBytes: number }[] = []
  const note = (limitBytes: number | undefined, usedBytes: number | undefined) => {
    if (limitBytes !== undefined && limitBytes < UNLIMITED_BYTES)
      memory.push({ limitBytes, usedBytes: usedBytes ?? 0 })
  }
  for (const directory of levelsOf('', groups, mounts)) {
    const quota = parseCpuMax(read(`${directory}/cpu.max`))
    if (quota !== undefined) cpus.push(quota)
    const limits = [read(`${directory}/memory.max`), read(`${directory}/memory.high`)].map(parseBytes)
    note(least(limits), workingSet(read, directory, 'memory.current', 'inactive_file'))
  }
  for (const directory of levelsOf('cpu', groups, mounts)) {
    const quota = parseBytes(read(`${directory}/cpu.cfs_quota_us`))
    const period = parseBytes(read(`${directory}/cpu.cfs_period_us`))
    if (quota !== undefined && period !== undefined && period > 0) cpus.push(quota / period)
  }
  for (const directory of levelsOf('memory', groups, mounts)) {
    const limit = parseBytes(read(`${directory}/memory.limit_in_bytes`))
    note(limit, workingSet(read, directory, 'memory.usage_in_bytes', 'total_inactive_file'))
  }
  return { cpus: least(cpus), memory }
}

/** What is used and cannot simply be dropped: file pages that nobody has touched lately do not count. */
function workingSet(read: ReadFile, directory: string, usage: string, inactive: string): number | undefined {
  const used = parseBytes(read(`${directory}/${usage}`))
  if (used === undefined) return undefined
  const idle = new RegExp(`^${inactive} (\\d+)$`, 'm').exec(read(`${directory}/memory.stat`) ?? '')?.[1]
  return Math.max(0, used - Number(idle ?? 0))
}

/**
 * The directories of this process's group and of all above it.
 *
 * @param controller - `''` for version 2.
 */
function levelsOf(controller: string, groups: string, mounts: string): string[] {
  const path = groupOf(controller, groups)
  const mount = mountOf(controller, mounts)
  if (path === undefined || mount === undefined) return []
  // In a container without a cgroup namespace, the path is the machine's and the mount begins at the container.
  const inside =
    path === mount.root || path.startsWith(`${mount.root}/`) ? path.slice(mount.root.length) : path
  const names = inside.split('/').filter((name) => name !== '' && name !== '..')
  return Array.from({ length: names.length + 1 }, (_, depth) =>
    [mount.point, ...names.slice(0, names.length - depth)].join('/'),
  )
}

/** Lines of /proc/self/cgroup: `4:memory:/path`, `1:cpu,cpuacct:/path`; version 2 is `0::/path`. */
function groupOf(controller: string, groups: string): string | undefined {
  for (const line of groups.split('\n')) {
    const [, names, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? []
    if (names?.split(',').includes(controller)) return path
  }
  return undefined
}

/** Lines of /proc/self/mountinfo: `31 23 0:28 ROOT POINT options… - TYPE source superoptions`. */
function mountOf(controller: string, mounts: string): { root: string; point: string } | undefined {
  for (const line of mounts.split('\n')) {
    const [before = '', after = ''] = line.split(' - ')
    const [, , , root = '/', point = ''] = before.split(' ').map(unescapeOctal)
    const [type, , options = ''] = after.split(' ')
    const isIt =
      controller === '' ? type === 'cgroup2' : type === 'cgroup' && options.split(',').includes(controller)
    if (isIt) return { root: root === '/' ? '' : root, point }
  }
  return undefined
}

const unescapeOctal = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))

/** `150000 100000` is one and a half cores; `max 100000` is no limit. */
function parseCpuMax(text: string | undefined): number | undefined {
  const [quota, period] =
    /^(\d+) (\d+)$/
      .exec(text?.trim() ?? '')
      ?.slice(1)
      .map(Number) ?? []
  return quota === undefined || period === undefined || period === 0 ? undefined : quota / period
}

/** A whole number from 0; `max`, `-1` and anything else are no limit. */
function parseBytes(text: string | undefined): number | undefined {
  const trimmed = text?.trim() ?? ''
  return /^\d+$/.test(trimmed) ? Number(trimmed) : undefined
}

function least(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 ? undefined : Math.min(...known)
}
