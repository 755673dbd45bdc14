import type { Counterexample } from './counterexample.ts'

/** What an emitted test is made of. */
export interface EmittedTest {
  readonly counterexample: Counterexample
  /** How the test's file imports the workflow's module, such as `./workflow.ts`. */
  readonly workflow: string
  /** Whether that module exports `check`, with the models of handlers and the invariants. */
  readonly hasCheck: boolean
  /** The run in words. */
  readonly story: string
}

/** Writes a counterexample as a Vitest file: it fails while the run still breaks the promise. */
export function emitTest({ counterexample, workflow, hasCheck, story }: EmittedTest): string {
  const { subject, violation } = counterexample
  const names = hasCheck ? 'workflow, { check }' : 'workflow'
  // A comment ends at the first `*/`, wherever it comes from.
  const comment = story.trimEnd().replaceAll('*/', '* /')
  return `import { type Counterexample, replay } from 'espalier/testing'
import { expect, test } from 'vitest'
import ${names} from ${JSON.stringify(workflow)}

/*
${comment}
*/
const counterexample: Counterexample = ${literalOf(counterexample)}

test(${JSON.stringify(`${subject} keeps its promise: ${violation.invariant}`)}, async () => {
  const { violation } = await replay(workflow, counterexample${hasCheck ? ', check' : ''})
  expect(violation).toBeUndefined()
})
`
}

/** A counterexample as an object literal, a line for each of its steps. */
function literalOf(counterexample: Counterexample): string {
  const fields = Object.entries(counterexample).map(([name, value]) => {
    const lines =
      name === 'steps' ? (value as readonly unknown[]).map((step) => `    ${JSON.stringify(step)},`) : []
    return `  ${name}: ${name === 'steps' ? ['[', ...lines, '  ]'].join('\n') : JSON.stringify(value)},`
  })
  return ['{', ...fields, '}'].join('\n')
}
