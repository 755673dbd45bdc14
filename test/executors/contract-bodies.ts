import type { CommandLine, MachineBody } from 'espalier'
import type { ContractHandler } from 'espalier/testing'
import { fromPromise } from 'xstate'
import * as handlers from '../../src/testing/contracts/executor-handlers.ts'

const calls: Readonly<Record<ContractHandler, (...given: never[]) => unknown>> = { ...handlers }

/** What the handlers of the contract do, as programs; the rest cannot be said in a program. */
const SCRIPTS: Partial<Record<ContractHandler, string>> = {
  echo: `
    const lines = require('node:fs').readFileSync(0, 'utf8').trim().split('\\n')
    console.log('[' + lines + ']')`,
  speak: `
    process.stdout.write('to stdout é\\n')
    process.stderr.write('to stderr\\n')`,
  babble: `for (let line = 0; line < 40; line++) process.stdout.write('x'.repeat(65_535) + '\\n')`,
  ignore: `
    process.on('SIGTERM', () => {})
    setInterval(() => {}, 1_000)`,
  spin: `
    process.on('SIGTERM', () => {})
    for (;;) Math.sqrt(2)`,
  work: `
    const buffer = Buffer.alloc(32 * 1024 ** 2, 1)
    const until = process.cpuUsage().user + 100_000
    let sum = 0
    while (process.cpuUsage().user < until) sum += buffer[sum % buffer.length]`,
  hoard: `
    const held = []
    const more = () => {
      held.push(Buffer.alloc(10 * 1024 ** 2, 1))
      if (held.length < 60) setTimeout(more, 10)
    }
    more()`,
}

export function commandBody(handler: ContractHandler): CommandLine | undefined {
  const script = SCRIPTS[handler]
  if (script === undefined) return undefined
  const line = { command: process.execPath, args: ['-e', script] }
  return handler === 'echo' ? { ...line, result: 'json' } : line
}

/** The handler itself, called by an actor: its input is all that a handler is called with. */
export function machineBody(handler: ContractHandler): MachineBody {
  const call = calls[handler] as (...given: unknown[]) => unknown
  const logic = fromPromise(async ({ input }: { input: readonly unknown[] }) => call(...input))
  return { logic, input: (...given: unknown[]) => given }
}
