import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Coverage } from '../testing/index.ts'
import { jsonDocument } from './json.ts'
import { UsageError } from './usage-error.ts'

/**
 * Writes the coverage of the three charts into a folder: each as SVG and as Mermaid, and in `coverage.json` how much was
 * taken and what never was. What another check has written there is replaced.
 *
 * @throws {UsageError} When it cannot be written.
 */
export async function writeCoverage(coverage: Coverage, folder: string): Promise<void> {
  const { ownCharts } = await import('../http/index.ts')
  const files = new Map<string, string>()
  for (const machine of Coverage.charts) {
    const layout = ownCharts().find(({ id }) => id === machine.id)?.right
    files.set(`${machine.id}.svg`, await coverage.toSvg(machine, layout))
    files.set(`${machine.id}.mmd`, coverage.toMermaid(machine))
  }
  files.set('coverage.json', jsonDocument(coverage.report()))
  try {
    await mkdir(folder, { recursive: true })
    for (const [name, text] of files) await writeFile(join(folder, name), text)
  } catch (error) {
    throw new UsageError(`The coverage cannot be written to ${folder}: ${(error as Error).message}`)
  }
}
