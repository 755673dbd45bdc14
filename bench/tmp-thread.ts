import { measures } from './executors.ts'

const m = measures[(process.env.M ?? 'thread') as 'thread']
const f: number[] = []
for (let i = 0; i < Number(process.env.N ?? 12); i++) {
  globalThis.gc?.()
  f.push(await m())
}
console.error(f.map((x) => Math.round(x)).join(' '))
process.exit()
