import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { haveChromium } from './browser.ts'
import { START_MS, startDashboard, type Dashboard } from './dashboard.ts'

const soon = { timeout: 20_000 }
const often = { ...soon, interval: 500 }

describe.skipIf(!haveChromium())('GraphiQL', { timeout: 90_000 }, () => {
  let dashboard: Dashboard
  beforeAll(async () => {
    dashboard = await startDashboard()
  }, START_MS)
  afterAll(() => dashboard.close())

  const open = async (): Promise<Page> => {
    const page = await dashboard.open('/graphql')
    await page.locator('.graphiql-query-editor .view-line').first().waitFor()
    return page
  }
  const tab = (page: Page, name: string) => page.getByRole('tab').getByText(name, { exact: true })
  const play = (page: Page) => page.getByRole('button', { name: /^Execute query/ }).click()
  /** Monaco writes its spaces as no-break ones. */
  const textOf = async (page: Page, part: 'query-editor' | 'response'): Promise<string> =>
    (await page.locator(`.graphiql-${part}`).innerText()).replaceAll('\u00a0', ' ')

  it('opens each of its tabs at the first click', async () => {
    const page = await open()
    const shown = () => textOf(page, 'query-editor')
    await expect.poll(shown, soon).toContain('mutation SumOnFourThreads')
    await tab(page, 'WatchJobs').click()
    await expect.poll(shown, soon).toContain('subscription WatchJobs')
    await tab(page, 'SumOnFourThreads').click()
    await expect.poll(shown, soon).toContain('mutation SumOnFourThreads')
    await page.getByRole('button', { name: 'New tab' }).click()
    await expect.poll(shown, soon).not.toContain('mutation')
    await tab(page, 'Overview').click()
    await expect.poll(shown, soon).toContain('query Overview')
    await page.context().close()
  })

  it('runs a query and a subscription', async () => {
    const page = await open()
    const answer = () => textOf(page, 'response')
    // GraphiQL learns a moment after a tab is opened what it holds, and cannot run it before.
    const playAgainIfEarly = async (): Promise<string> => {
      if ((await answer()).includes('Cannot infer operation')) await play(page)
      return answer()
    }
    await tab(page, 'Overview').click()
    await play(page)
    await expect.poll(playAgainIfEarly, often).toContain('"threadCount"')

    await tab(page, 'WatchJobs').click()
    await play(page)
    const submitUntilSeen = async (): Promise<string> => {
      await playAgainIfEarly()
      const job = { name: 'Seen', type: 'add_numbers', payload: { a: 13, b: 42 } }
      await dashboard.call('POST', '/jobs', job)
      return answer()
    }
    await expect.poll(submitUntilSeen, often).toContain('"Seen"')
    await expect.poll(answer, soon).toMatch(/"result": 55/)
    await page.context().close()
  })
})

describe.skipIf(!haveChromium())('every page', { timeout: 120_000 }, () => {
  let dashboard: Dashboard
  beforeAll(async () => {
    dashboard = await startDashboard()
  }, START_MS)
  afterAll(() => dashboard.close())

  const jobs = {
    picture: { type: 'resize_image', payload: { width: 64 } },
    failed: { type: 'flaky_report', max_attempts: 1, payload: { title: 'no', failures: 3 } },
    long: { type: 'estimate_pi', payload: { millions: 100_000 } },
  }

  it.each(['light', 'dark'] as const)(
    'opens in its %s theme with no error and nothing refused by its policy',
    async (colorScheme) => {
      const routes = ['/', '/submit', '/history', '/cluster', '/nowhere', '/docs', '/graphql']
      for (const job of Object.values(jobs)) {
        const { id } = await dashboard.call<{ id: string }>('POST', '/jobs', job)
        routes.push(`/job/${id}`)
      }
      const page = await dashboard.open('/', { colorScheme })
      expect(await page.locator('html').getAttribute('data-theme')).toBe(colorScheme)
      for (const route of routes) {
        await page.goto(`${dashboard.url}${route}`)
        await page.waitForLoadState('networkidle')
        expect((await page.locator('body').innerText()).length, route).toBeGreaterThan(20)
      }
      expect(dashboard.complaints).toEqual([])
      await page.context().close()
    },
  )
})
