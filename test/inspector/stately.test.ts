import { join } from 'node:path'
import { JobPool } from 'espalier'
import { createInspector } from 'espalier/http'
import type { Browser } from 'playwright-core'
import { build, type Rollup } from 'vite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { activePaths, StatelyActors } from '../../inspector/model/stately-actors.ts'
import { describeInBrowser, launch, openPage } from './browser.ts'

describeInBrowser('the page as the url of createBrowserInspector', () => {
  let browser: Browser
  let script: string

  beforeAll(async () => {
    browser = await launch()
    const [bundle] = (await build({
      configFile: false,
      mode: 'production',
      define: { 'process.env.NODE_ENV': '"production"' },
      logLevel: 'error',
      build: {
        write: false,
        lib: {
          entry: join(import.meta.dirname, 'fixtures/inspected-page.ts'),
          formats: ['iife'],
          name: 'inspected',
        },
      },
    })) as Rollup.RollupOutput[]
    script = bundle!.output[0].code
  })

  afterAll(() => browser?.close())

  test('shows the actors that the other page sends, and where they are', async () => {
    await using pool = new JobPool()
    await using inspector = createInspector(pool)
    const { origin } = new URL(await inspector.listen())
    await using watched = await openPage(browser)
    const { page } = watched
    await page.route('http://inspected.test/*', (route) =>
      route.fulfill({
        contentType: 'text/html',
        body: `<button id="open">open</button><script>${script}</script>`,
      }),
    )
    await page.goto(`http://inspected.test/?inspector=${encodeURIComponent(`${origin}/stately`)}`)
    const [popup] = await Promise.all([page.waitForEvent('popup'), page.click('#open')])
    await popup.getByRole('region', { name: 'off, active' }).waitFor()
    await popup.getByText('{"uses":7}').waitFor()
    expect(watched.errors).toEqual([])
    expect(await popup.getByRole('button', { name: /lamp/ }).count()).toBe(1)
  })
})

test('what is no message of an inspector is left alone', () => {
  const actors = new StatelyActors()
  for (const message of [
    undefined,
    null,
    'text',
    7,
    {},
    { type: '@xstate.actor' },
    { type: '@xstate.actor', _version: '1' },
  ])
    expect(actors.take(message)).toBe(false)
  expect(actors.actors.size).toBe(0)
})

test('an actor with a strange definition has no chart, and no page breaks', () => {
  const actors = new StatelyActors()
  const deep = JSON.stringify({
    id: 'deep',
    states: JSON.parse(`${'{"a":{"states":'.repeat(100)}{}${'}}'.repeat(100)}`),
  })
  for (const [index, definition] of ['{', '7', '{"states":[]}', deep].entries())
    expect(actors.take({ type: '@xstate.actor', _version: '1', sessionId: `x:${index}`, definition })).toBe(
      true,
    )
  const [first, second, third, last] = [...actors.actors.values()]
  expect([first?.definition, second?.definition, third?.definition]).toEqual([
    undefined,
    undefined,
    undefined,
  ])
  expect(last?.definition?.key).toBe('deep')
})

test('the active states of a value are told as paths', () => {
  expect(activePaths({ a: { b: 'c' }, d: 'e' })).toEqual(['a', 'a.b', 'a.b.c', 'd', 'd.e'])
})
