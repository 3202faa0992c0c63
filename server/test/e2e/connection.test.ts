import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startProxy } from '../proxy.ts'
import { haveChromium } from './browser.ts'
import { isMarked, mark, START_MS, startDashboard, type Dashboard } from './dashboard.ts'

const KEY = 'a-key-of-many-characters'

const browserTests = describe.skipIf(!haveChromium())
const row = (page: Page, name: string) => page.getByRole('row').filter({ hasText: name })
const banner = (page: Page) => page.getByText('The server does not answer.')
const isLive = (page: Page) => page.getByText('Live', { exact: true }).waitFor()

browserTests('a page whose server dies', { timeout: 120_000 }, () => {
  let dashboard: Dashboard
  beforeAll(async () => {
    dashboard = await startDashboard()
  }, START_MS)
  afterAll(() => dashboard.close())

  const submit = (job: Record<string, unknown>) => dashboard.call('POST', '/jobs', job)

  it('says so, and goes on by itself once the server is back', async () => {
    const jobs = await dashboard.open('/')
    const history = await dashboard.open('/history')
    const cluster = await dashboard.open('/cluster')
    const other = await dashboard.open('/')
    const pages = [jobs, history, cluster, other]
    for (const page of pages) await isLive(page)
    for (const page of pages) await mark(page)

    dashboard.server.signal('SIGKILL')
    await dashboard.server.ended
    for (const page of pages) await banner(page).waitFor()

    await other.getByRole('link', { name: 'Submit job' }).click()
    await other.getByText('The job types could not be read').waitFor()

    await dashboard.restart()
    for (const page of pages) await banner(page).waitFor({ state: 'detached' })
    for (const page of pages) await isLive(page)

    await submit({ name: 'After', type: 'add_numbers', payload: { a: 1, b: 2 } })
    await submit({ name: 'Endless', type: 'estimate_pi', payload: { millions: 100_000 } })
    await row(history, 'After').waitFor()
    await row(jobs, 'Endless').getByText('Running', { exact: true }).waitFor()
    await cluster.getByRole('link', { name: 'Endless' }).waitFor()
    await other.getByRole('radio', { name: 'Add numbers' }).waitFor()
    for (const page of pages) expect(await isMarked(page)).toBe(true)
  })

  it.each(['cut', 'stall'] as const)(
    'shows what has happened behind a network that was down (%s)',
    async (kind) => {
      const network = await startProxy(dashboard.url)
      const page = await dashboard.open(network.through(`${dashboard.url}/history`))
      await isLive(page)
      network[kind]()
      await banner(page).waitFor()
      const name = `Unseen, ${kind}`
      await submit({ name, type: 'add_numbers', payload: { a: 1, b: 2 } })
      network.mend()
      await row(page, name).waitFor()
      await banner(page).waitFor({ state: 'detached' })
      await page.context().close()
      await network.close()
    },
  )
})

browserTests('a server that wants a key', { timeout: 90_000 }, () => {
  let dashboard: Dashboard
  beforeAll(async () => {
    dashboard = await startDashboard(
      { HOST: '0.0.0.0', API_KEYS: KEY },
      { authorization: `Bearer ${KEY}` },
    )
  }, START_MS)
  afterAll(() => dashboard.close())

  const dialog = (page: Page) => page.getByRole('dialog', { name: 'This server asks for a key' })
  const give = async (page: Page, key: string): Promise<void> => {
    await page.getByLabel('API key').fill(key)
    await page.getByRole('button', { name: 'Continue' }).click()
  }

  it('asks for it until it is the right one, and then lets in by HTTP and by WebSocket', async () => {
    const page = await dashboard.open('/')
    await dialog(page).waitFor()
    await give(page, 'a-wrong-key-of-many-characters')
    await page.getByText('The server does not know the key').waitFor()
    await give(page, KEY)

    await page.getByText('The loom is still').waitFor()
    await isLive(page)
    expect(await dialog(page).count()).toBe(0)
    await dashboard.call('POST', '/jobs', {
      name: 'Endless',
      type: 'estimate_pi',
      payload: { millions: 100_000 },
    })
    await row(page, 'Endless').waitFor()
  })

  it.each(['/', '/history', '/cluster', '/submit', '/job/unknown'])(
    'asks for it on %s',
    async (route) => {
      const page = await dashboard.open(route)
      await dialog(page).waitFor()
      await page.context().close()
    },
  )
})
