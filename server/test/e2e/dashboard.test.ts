import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { haveChromium } from './browser.ts'
import { isMarked, mark, START_MS, startDashboard, type Dashboard } from './dashboard.ts'

const soon = { timeout: 20_000 }
const DURATION = /^\d+(\.\d+)? (ms|s)$/

const field = (page: Page, name: string) => page.getByRole('textbox', { name })
const row = (page: Page, name: string) => page.getByRole('row').filter({ hasText: name })
const wrongFields = (page: Page): Promise<string[]> =>
  page.locator('[aria-invalid=true]').evaluateAll((all) => all.map(({ id }) => id))
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })

describe.skipIf(!haveChromium())('the dashboard', { timeout: 90_000 }, () => {
  let dashboard: Dashboard
  beforeAll(async () => {
    dashboard = await startDashboard()
  }, START_MS)
  afterAll(() => dashboard.close())

  const submit = (job: Record<string, unknown>) =>
    dashboard.call<{ id: string }>('POST', '/jobs', job)

  it('runs a job from its form before your eyes, and keeps it in the history with its three times', async () => {
    const page = await dashboard.open('/')
    await mark(page)
    await page.getByRole('link', { name: 'Submit job' }).click()
    await page.getByRole('radio', { name: 'Large array sum' }).click()
    await field(page, 'Name').fill('Sum by form')
    await field(page, 'Threads').fill('2')
    await field(page, 'numbers').fill('1, 2, 3, 4, 5, 6, 7, 8, 9, 10')
    await button(page, 'Submit job').click()

    const submitted = page.getByRole('region', { name: 'Submitted jobs' })
    await submitted.getByText('Completed').waitFor()
    expect(await submitted.getByRole('status').textContent()).toBe('55')

    await page.getByRole('link', { name: 'History', exact: true }).click()
    const ended = row(page, 'Sum by form')
    await ended.waitFor()
    const heads = await page.getByRole('columnheader').allTextContents()
    const cells = await ended.getByRole('cell').allTextContents()
    for (const time of ['Queue', 'Execution', 'Total']) {
      expect(cells[heads.indexOf(time)], time).toMatch(DURATION)
    }
    expect(await isMarked(page)).toBe(true)
    await page.context().close()
  })

  it('shows a long job as it runs and takes it off the table when it has ended', async () => {
    const page = await dashboard.open('/')
    await page.getByText('The loom is still').waitFor()
    await submit({
      name: 'Long one',
      type: 'estimate_pi',
      thread_demand: 2,
      payload: { millions: 200 },
    })
    await row(page, 'Long one').getByText('Running', { exact: true }).waitFor()

    const progress = row(page, 'Long one').getByRole('progressbar')
    const percents = new Set<string | null>()
    const look = async (): Promise<number> => {
      percents.add(await progress.getAttribute('aria-valuenow'))
      return percents.size
    }
    await expect.poll(look, soon).toBeGreaterThanOrEqual(3)
    await row(page, 'Long one').waitFor({ state: 'detached', timeout: 60_000 })
    await page.context().close()
  })

  it('shows none of thousands of tiny jobs any more when all of them have ended', async () => {
    const page = await dashboard.open('/')
    await page.getByText('The loom is still').waitFor()
    const jobs = Array.from({ length: 1000 }, (_, n) => ({
      name: `Tiny ${n}`,
      type: 'add_numbers',
      payload: { a: n, b: 1 },
    }))
    const bulks = Array.from({ length: 10 }, () => dashboard.call('POST', '/jobs/bulk', { jobs }))
    await Promise.all(bulks)
    const left = async (): Promise<number> =>
      (await dashboard.call<{ jobs: unknown[] }>('GET', '/jobs?limit=1')).jobs.length
    await expect.poll(left, { timeout: 60_000 }).toBe(0)
    // So that the page has heard of them.
    await page.waitForTimeout(1_000)
    await page.getByText('The loom is still').waitFor({ timeout: 60_000 })
    expect(await row(page, 'Tiny').count()).toBe(0)
    await page.context().close()
  })

  it('cancels a job from its page once the dialog is answered with yes', async () => {
    const { id } = await submit({
      name: 'Endless',
      type: 'estimate_pi',
      payload: { millions: 100_000 },
    })
    const page = await dashboard.open('/')
    await row(page, 'Endless').click()
    const state = page.getByRole('heading', { level: 1 })
    await state.getByText('Running').waitFor()
    await button(page, 'Cancel job').click()
    const dialog = page.getByRole('alertdialog')
    await button(page, 'Let it be').click()
    await dialog.waitFor({ state: 'detached' })
    expect(await dashboard.call('GET', `/jobs/${id}`)).toMatchObject({ state: 'RUNNING' })

    await button(page, 'Cancel job').click()
    await button(page, 'Cancel the job').click()
    await state.getByText('Cancelled').waitFor()
    expect(await dashboard.call('GET', `/jobs/${id}`)).toMatchObject({ state: 'CANCELLED' })
    await page.context().close()
  })

  it('tells what the server refuses at the field that it is about, and nothing is stored', async () => {
    const page = await dashboard.open('/submit?type=resize_image')
    await field(page, 'Name').fill('Impossible')
    await field(page, 'width').fill('-3')
    await field(page, 'Threads').fill('5000')
    await button(page, 'Submit job').click()

    const problems = page.getByRole('alert')
    await problems.getByText('thread demand must be a whole number from 1 to 1024').waitFor()
    await problems.getByText('Too small').waitFor()
    expect(await wrongFields(page)).toEqual(['payload-width', 'threadDemand'])
    expect(await page.locator(':focus').getAttribute('id')).toBe('payload-width')

    // What is mended is no longer wrong; the rest still is.
    await field(page, 'Threads').fill('1')
    await button(page, 'Submit job').click()
    await expect.poll(() => wrongFields(page), { timeout: 10_000 }).toEqual(['payload-width'])
    const { jobs: active } = await dashboard.call<{ jobs: unknown[] }>('GET', '/jobs')
    const { jobs: ended } = await dashboard.call<{ jobs: { name: string }[] }>('GET', '/db/jobs')
    expect(active).toEqual([])
    expect(ended.map(({ name }) => name)).not.toContain('Impossible')

    // Mended, the same form goes through.
    await field(page, 'width').fill('64')
    await button(page, 'Submit job').click()
    await page.getByRole('region', { name: 'Submitted jobs' }).getByText('Impossible').waitFor()
    await page.context().close()
  })

  it('shows a resized image as a picture', async () => {
    const { id } = await submit({
      name: 'Picture',
      type: 'resize_image',
      payload: { width: 200, height: 100 },
    })
    const page = await dashboard.open(`/job/${id}`)
    const picture = page.getByRole('img', { name: "The job's result" })
    await picture.waitFor()
    const size = () =>
      picture.evaluate((element) => {
        const { naturalWidth, naturalHeight } = element as unknown as Record<string, number>
        return [naturalWidth, naturalHeight]
      })
    await expect.poll(size, soon).toEqual([200, 100])
    await page.context().close()
  })

  it('is left to arrow keys in the choice of a type, and keeps what was written for each', async () => {
    const page = await dashboard.open('/submit?type=add_numbers')
    await field(page, 'Name').fill('Kept')
    await page.getByRole('radio', { name: 'Add numbers' }).focus()
    // Held as a finger holds it.
    await page.keyboard.press('ArrowDown', { delay: 100 })
    await page.getByRole('radio', { name: 'Reverse string', checked: true }).waitFor()
    expect(await field(page, 'Name').inputValue()).toBe('')
    await page.keyboard.press('ArrowUp', { delay: 100 })
    await page.getByRole('radio', { name: 'Add numbers', checked: true }).waitFor()
    expect(await field(page, 'Name').inputValue()).toBe('Kept')
    await page.context().close()
  })

  it('keeps the focus in a dialog, and gives it back', async () => {
    const { id } = await submit({
      name: 'Later',
      type: 'add_numbers',
      delay_ms: 3_600_000,
      payload: { a: 1, b: 2 },
    })
    const page = await dashboard.open(`/job/${id}`)
    await button(page, 'Cancel job').press('Enter')
    const dialog = page.getByRole('alertdialog')
    await dialog.waitFor()
    for (let steps = 0; steps < 4; steps += 1) {
      await page.keyboard.press('Tab')
      expect(await dialog.locator(':focus').count()).toBe(1)
    }
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    await expect.poll(() => button(page, 'Cancel job').and(page.locator(':focus')).count()).toBe(1)
    await page.context().close()
  })

  it('opens a row by keyboard', async () => {
    await submit({ name: 'By keyboard', type: 'add_numbers', payload: { a: 1, b: 2 } })
    const page = await dashboard.open('/history')
    await row(page, 'By keyboard').focus()
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1 }).getByText('By keyboard').waitFor()
    await page.context().close()
  })
})
