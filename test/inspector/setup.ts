import { globSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { buildInspector } from '../../scripts/build-inspector.ts'
import { root } from '../../scripts/tool.ts'

/** Builds the inspector's page before any test, unless the one in `dist` is newer than its sources. */
export default async function setup(): Promise<void> {
  const sources = globSync('{inspector,src/protocol}/**/*.{ts,tsx,css,html,svg}', { cwd: root })
  const newest = Math.max(...sources.map((path) => statSync(join(root, path)).mtimeMs))
  const built = statSync(join(root, 'dist/inspector/manifest.json'), { throwIfNoEntry: false })
  if (built === undefined || built.mtimeMs < newest) await buildInspector()
}
