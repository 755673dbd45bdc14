import { spawn } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../scripts/tool.ts'

export const read = (file: string): string => readFileSync(join(root, file), 'utf8')

/** The documents for people, relative to the package. */
export const documents: readonly string[] = globSync(
  ['*.md', 'docs/**/*.md', 'machines/*.md', 'examples/**/*.md'],
  { cwd: root },
).sort()

/** What stands between `<!-- name -->` and `<!-- /name -->`. */
export function section(text: string, name: string): string {
  const [, found] = new RegExp(`<!-- ${name} -->\\n([^]*?)<!-- /${name} -->`).exec(text) ?? []
  if (found === undefined)
    throw new Error(`Expected the markers <!-- ${name} --> … <!-- /${name} -->, got none.`)
  return found
}

/** The fenced blocks of a language, without their fences. */
export function blocks(text: string, language: string): string[] {
  const fence = new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm')
  return [...text.matchAll(fence)].map(([, block]) => block as string)
}

/** Runs code as a module of this package and answers what it prints; rejects when it fails. */
export function runCode(code: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const args = ['--conditions=espalier-source', '--input-type=module-typescript', '-']
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['pipe', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (data) => {
      stdout += data
    })
    child.stderr.on('data', (data) => {
      stderr += data
    })
    child.on('error', reject)
    child.on('close', (code) => (code === 0 ? resolve(stdout) : reject(new Error(stderr))))
    child.stdin.end(code)
  })
}
