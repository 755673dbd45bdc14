// Checks everything but behaviour: `npm run check`, or one step: `npm run check -- --only types`.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Ran, root, run, runTool } from './tool.ts'

interface Step {
  readonly what: string
  run(): Promise<Ran>
}

const steps: Record<string, Step> = {
  style: {
    what: 'format, lint, order of imports, import cycles',
    run: () =>
      runTool('@biomejs/biome', process.env.CI ? 'ci' : 'check', '--error-on-warnings', '--colors=off'),
  },
  types: { what: 'tsc, strict, the inspector with the types of a browser', run: checkTypes },
  unused: {
    what: 'unused files, exports and dependencies',
    run: () => runTool('knip', '--no-progress', '--treat-config-hints-as-errors'),
  },
  package: { what: 'build, imports of the packed files, publint, types of the package', run: checkPackage },
}

const { values } = parseArgs({ options: { only: { type: 'string' } } })
if (values.only !== undefined && !Object.hasOwn(steps, values.only)) {
  console.error(`--only takes one of ${Object.keys(steps).join(', ')}, but got "${values.only}".`)
  process.exit(1)
}

for (const [name, step] of Object.entries(steps)) {
  if (values.only !== undefined && values.only !== name) continue
  const startedAt = performance.now()
  const { ok, why, output } = await step.run()
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  console.log(
    `${ok ? '✓' : '✗'} ${name.padEnd(8)} ${seconds.padStart(5)} s  ${step.what}${ok ? '' : `: ${why}`}`,
  )
  if (!ok) {
    console.log(output)
    process.exit(1)
  }
}

/** Two programs: what runs in Node must not see the types of a browser. */
async function checkTypes(): Promise<Ran> {
  const programs = ['tsconfig.json', 'inspector/tsconfig.json']
  const checks = await Promise.all(
    programs.map((program) => runTool('typescript#tsc', '--noEmit', '-p', program)),
  )
  return checks.find((check) => !check.ok) ?? (checks[0] as Ran)
}

async function checkPackage(): Promise<Ran> {
  const folder = await mkdtemp(join(tmpdir(), 'espalier-package-'))
  try {
    const tarball = join(folder, 'espalier.tgz')
    const built = await run(process.execPath, [join(root, 'scripts/build.ts'), '--tarball', tarball])
    if (!built.ok) return built
    const checks = await Promise.all([
      runTool('publint', 'run', tarball, '--strict'),
      runTool('@arethetypeswrong/cli#attw', tarball, '--profile', 'esm-only', '--no-color'),
    ])
    return checks.find((check) => !check.ok) ?? built
  } finally {
    await rm(folder, { recursive: true })
  }
}
