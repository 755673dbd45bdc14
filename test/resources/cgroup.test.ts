import { describe, expect, test } from 'vitest'
import { readCgroupLimits } from '../../src/resources/cgroup.ts'

const limitsIn = (files: Readonly<Record<string, string>>) => readCgroupLimits((path) => files[path])

/** Texts of a Docker container under cgroup v2 with its own namespace: `docker run --cpus 1.5 --memory 512m`. */
const DOCKER_V2 = {
  '/proc/self/cgroup': '0::/\n',
  '/proc/self/mountinfo':
    '1035 1034 0:31 / /sys ro,nosuid,nodev,noexec,relatime - sysfs sysfs ro\n' +
    '1036 1035 0:28 / /sys/fs/cgroup ro,nosuid,nodev,noexec,relatime - cgroup2 cgroup rw,nsdelegate,memory_recursiveprot\n',
  '/sys/fs/cgroup/cpu.max': '150000 100000\n',
  '/sys/fs/cgroup/memory.max': '536870912\n',
  '/sys/fs/cgroup/memory.high': 'max\n',
  '/sys/fs/cgroup/memory.current': '125829120\n',
  '/sys/fs/cgroup/memory.stat': 'anon 80000000\nfile 45829120\ninactive_anon 0\ninactive_file 25829120\n',
}

/** A service in a slice under systemd: the slice's limit is the less. */
const SYSTEMD_V2 = {
  '/proc/self/cgroup': '0::/system.slice/pool.service\n',
  '/proc/self/mountinfo':
    '35 24 0:30 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw\n',
  '/sys/fs/cgroup/system.slice/pool.service/cpu.max': 'max 100000\n',
  '/sys/fs/cgroup/system.slice/pool.service/memory.max': '2147483648\n',
  '/sys/fs/cgroup/system.slice/pool.service/memory.high': '1610612736\n',
  '/sys/fs/cgroup/system.slice/pool.service/memory.current': '1073741824\n',
  '/sys/fs/cgroup/system.slice/cpu.max': '50000 100000\n',
  '/sys/fs/cgroup/system.slice/memory.max': '1288490188\n',
  '/sys/fs/cgroup/system.slice/memory.current': '1181116006\n',
}

/** A Docker container under v1, without a namespace: paths are the machine's, the mount begins at the container. */
const DOCKER_V1 = {
  '/proc/self/cgroup':
    '12:pids:/docker/4f1a\n5:cpu,cpuacct:/docker/4f1a\n3:memory:/docker/4f1a\n1:name=systemd:/docker/4f1a\n',
  '/proc/self/mountinfo':
    '712 711 0:26 /docker/4f1a /sys/fs/cgroup/cpu,cpuacct ro,nosuid master:11 - cgroup cgroup rw,cpu,cpuacct\n' +
    '713 711 0:27 /docker/4f1a /sys/fs/cgroup/memory ro,nosuid master:12 - cgroup cgroup rw,memory\n',
  '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '200000\n',
  '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
  '/sys/fs/cgroup/memory/memory.limit_in_bytes': '268435456\n',
  '/sys/fs/cgroup/memory/memory.usage_in_bytes': '104857600\n',
  '/sys/fs/cgroup/memory/memory.stat':
    'cache 9\ninactive_file 1\ntotal_cache 9\ntotal_inactive_file 4857600\n',
}

/** Both mounted, controllers on v1, as on the machine this was recorded on; the outer group limits memory. */
const HYBRID = {
  '/proc/self/cgroup': '8:pids:/\n4:memory:/process_api/bf08dacc\n2:cpuacct:/\n1:cpu:/\n0::/\n',
  '/proc/self/mountinfo':
    '32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n' +
    '33 31 0:30 / /sys/fs/cgroup/cpuacct rw,relatime - cgroup cgroup rw,cpuacct\n' +
    '35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n' +
    '40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd\n' +
    '41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n',
  '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
  '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
  '/sys/fs/cgroup/memory/process_api/bf08dacc/memory.limit_in_bytes': '9223372036854771712\n',
  '/sys/fs/cgroup/memory/process_api/memory.limit_in_bytes': '8589934592\n',
  '/sys/fs/cgroup/memory/process_api/memory.usage_in_bytes': '629526528\n',
  '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
}

describe('the limits of cgroups', () => {
  test('are read in a container under version 2; idle file pages count as free', () => {
    expect(limitsIn(DOCKER_V2)).toEqual({
      cpus: 1.5,
      memory: [{ limitBytes: 536870912, usedBytes: 100_000_000 }],
    })
  })

  test('are read on every level under version 2: the least CPU time, and each limit of memory', () => {
    expect(limitsIn(SYSTEMD_V2)).toEqual({
      cpus: 0.5,
      memory: [
        { limitBytes: 1610612736, usedBytes: 1073741824 },
        { limitBytes: 1288490188, usedBytes: 1181116006 },
      ],
    })
  })

  test('are read in a container under version 1', () => {
    expect(limitsIn(DOCKER_V1)).toEqual({
      cpus: 2,
      memory: [{ limitBytes: 268435456, usedBytes: 100_000_000 }],
    })
  })

  test('are read where both versions are mounted, in nested groups; a number near 2⁶³ and -1 are no limits', () => {
    expect(limitsIn(HYBRID)).toEqual({
      cpus: undefined,
      memory: [{ limitBytes: 8589934592, usedBytes: 629526528 }],
    })
  })

  test('are none where everything says "max"', () => {
    const files = { '/sys/fs/cgroup/cpu.max': 'max 100000\n', '/sys/fs/cgroup/memory.max': 'max\n' }
    expect(limitsIn({ ...DOCKER_V2, ...files })).toEqual({ cpus: undefined, memory: [] })
  })

  test.each(Object.entries({ v2: DOCKER_V2, systemd: SYSTEMD_V2, v1: DOCKER_V1, hybrid: HYBRID }))(
    'are fewer, and never an error, when any file of %s is missing, empty or nonsense',
    (_, files) => {
      for (const path of Object.keys(files)) {
        for (const text of [undefined, '', '\n', 'nonsense\n', '7', '0 0']) {
          const { cpus, memory } = limitsIn({ ...files, [path]: text } as Record<string, string>)
          expect(cpus === undefined || cpus >= 0).toBe(true)
          for (const { limitBytes, usedBytes } of memory) expect(usedBytes * 0 + limitBytes * 0).toBe(0)
        }
      }
    },
  )

  test('are found in a mount whose path has a space', () => {
    const mountinfo = '36 35 0:28 / /sys/fs/my\\040groups ro - cgroup2 cgroup rw\n'
    const files = { '/proc/self/cgroup': '0::/a\n', '/proc/self/mountinfo': mountinfo }
    expect(limitsIn({ ...files, '/sys/fs/my groups/a/cpu.max': '300000 100000\n' }).cpus).toBe(3)
  })

  test('are none outside Linux', () => {
    expect(limitsIn({})).toEqual({ cpus: undefined, memory: [] })
  })
})
