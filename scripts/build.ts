// Builds dist/ and proves that the packed package can be imported: `npm run build`.
import {
  access,
  chmod,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative, sep } from 'node:path'
import { parseArgs } from 'node:util'
import { buildInspector } from './build-inspector.ts'
import { type Ran, root, run, runNpm, runTool } from './tool.ts'

/** The condition by which tests read the sources; it never leaves the clone. */
const SOURCE_CONDITION = 'espalier-source'

interface Manifest {
  readonly name: string
  readonly version: string
  readonly bin: Record<string, string>
  readonly exports: Record<string, string | Record<string, string>>
  readonly dependencies?: Record<string, string>
  readonly peerDependencies?: Record<string, string>
}

const { values } = parseArgs({ options: { tarball: { type: 'string' } } })
const manifest: Manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
const scratch = await mkdtemp(join(tmpdir(), 'espalier-build-'))
try {
  await rm(join(root, 'dist'), { recursive: true, force: true })
  must(await runTool('typescript#tsc', '-p', 'tsconfig.build.json'), 'tsc')
  await buildInspector()
  for (const file of Object.values(manifest.bin)) await chmod(join(root, file), 0o755)

  const tarball = await pack()
  const installed = await install(tarball)
  await checkFiles(installed)
  await checkImports(installed)
  await checkDeclarations(installed)
  await checkCommands(installed)
  if (values.tarball !== undefined) await cp(tarball, values.tarball)
  console.log(
    `Built ${manifest.name} ${manifest.version}: every subpath of the packed package can be imported.`,
  )
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
} finally {
  await rm(scratch, { recursive: true })
}

async function pack(): Promise<string> {
  must(
    await runNpm('pack', '--ignore-scripts', '--loglevel=error', '--pack-destination', scratch),
    'npm pack',
  )
  return join(scratch, `${manifest.name}-${manifest.version}.tgz`)
}

/** Lays the package into a consumer's node_modules, beside its declared dependencies and nothing else. */
async function install(tarball: string): Promise<string> {
  const modules = join(scratch, 'consumer/node_modules')
  await mkdir(modules, { recursive: true })
  await writeFile(join(scratch, 'consumer/package.json'), '{ "type": "module" }')
  must(await run('tar', ['-xzf', tarball, '-C', modules]), 'tar')
  const installed = join(modules, manifest.name)
  await cp(join(modules, 'package'), installed, { recursive: true })
  for (const name of Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })) {
    await mkdir(dirname(join(modules, name)), { recursive: true })
    await symlink(join(root, 'node_modules', name), join(modules, name), 'junction')
  }
  return installed
}

/** Every file that `exports` and `bin` name must be packed. */
async function checkFiles(installed: string): Promise<void> {
  const targets = Object.values(manifest.bin)
  for (const target of Object.values(manifest.exports)) {
    if (typeof target === 'string') targets.push(target)
    else
      for (const [condition, file] of Object.entries(target))
        if (condition !== SOURCE_CONDITION) targets.push(file)
  }
  for (const file of targets.filter((file) => !file.includes('*'))) {
    await access(join(installed, file)).catch(() => {
      throw new Error(`package.json names ${file}, but the build did not make it or "files" leaves it out.`)
    })
  }
}

/** Every subpath must load in plain Node, by the package's name. */
async function checkImports(installed: string): Promise<void> {
  const specifiers = (await subpaths(installed)).map((subpath) => manifest.name + subpath.slice(1))
  const script = `
    for (const specifier of ${JSON.stringify(specifiers)}) {
      const options = specifier.endsWith('.json') ? { with: { type: 'json' } } : {}
      await import(specifier, options).catch((error) => {
        console.error(specifier + ':', error)
        process.exitCode = 1
      })
    }`
  const file = join(scratch, 'consumer/imports.js')
  await writeFile(file, script)
  must(await run(process.execPath, [file], dirname(file)), `importing ${specifiers.join(', ')}`)
}

/** A consumer who checks declarations, as `skipLibCheck: false` does, has only what is installed with the package. */
async function checkDeclarations(installed: string): Promise<void> {
  const specifiers = (await subpaths(installed)).filter((subpath) => !subpath.endsWith('.json'))
  const file = join(scratch, 'consumer/declarations.ts')
  const imports = specifiers.map((subpath) => `import '${manifest.name}${subpath.slice(1)}'\n`)
  await writeFile(file, imports.join(''))
  const types = join(scratch, 'consumer/node_modules/@types')
  await mkdir(types)
  await symlink(join(root, 'node_modules/@types/node'), join(types, 'node'), 'junction')
  const environment = ['--ignoreConfig', '--noEmit', '--types', 'node', '--typeRoots', types]
  const language = ['--target', 'es2024', '--lib', 'es2024,esnext.disposable', '--module', 'nodenext']
  const checks = ['--strict', '--noUncheckedIndexedAccess', '--skipLibCheck', 'false']
  const options = [...environment, ...language, ...checks]
  must(await runTool('typescript#tsc', ...options, file), 'the declarations of the packed package')
}

/** The keys of `exports`, patterns such as `./stores/*` being spelled out from the packed files. */
async function subpaths(installed: string): Promise<string[]> {
  const entries = await readdir(installed, { recursive: true, withFileTypes: true })
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => `./${relative(installed, join(entry.parentPath, entry.name)).split(sep).join('/')}`)
  return Object.entries(manifest.exports).flatMap(([key, target]) => {
    if (!key.includes('*')) return key
    const pattern = typeof target === 'string' ? target : (target.default ?? '')
    const [before = '', after = ''] = pattern.split('*')
    const found = files.filter((file) => file.startsWith(before) && file.endsWith(after))
    if (found.length === 0) throw new Error(`exports["${key}"] matches no packed file (${pattern}).`)
    return found.map((file) => key.replace('*', file.slice(before.length, -after.length || undefined)))
  })
}

/** Every command must start and tell the package's version. */
async function checkCommands(installed: string): Promise<void> {
  for (const [name, file] of Object.entries(manifest.bin)) {
    const ran = await run(process.execPath, [join(installed, file), '--version'])
    must(ran, `${name} --version`)
    if (!ran.output.includes(manifest.version))
      throw new Error(`${name} --version should print ${manifest.version}, but printed: ${ran.output}`)
  }
}

function must({ ok, why, output }: Ran, what: string): void {
  if (!ok) throw new Error(`${what}: ${why}\n${output}`)
}
