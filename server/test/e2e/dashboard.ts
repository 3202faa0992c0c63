import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { BUILT, startServerProcess, type ServerProcess } from '../server-process.ts'
import { startBrowser } from './browser.ts'

const PATIENCE_MS = 20_000
/** A server and a browser at once, on a machine that runs other tests beside. */
export const START_MS = 90_000

/** The built product on a folder of its own, and a browser to look at it. */
export interface Dashboard {
  url: string
  server: ServerProcess
  /** A page of a browser that has never been here, at a route or a whole address. */
  open(route: string, options?: BrowserContextOptions): Promise<Page>
  /** What pages have said of errors: on the console, thrown, or refused by their policy. */
  complaints: string[]
  /** Starts the server again, at the same port and on the same data. */
  restart(): Promise<void>
  /** Calls REST. */
  call<Answer>(method: string, route: string, body?: unknown): Promise<Answer>
  close(): Promise<void>
}

export async function startDashboard(
  variables: Record<string, string> = {},
  headers: Record<string, string> = {},
): Promise<Dashboard> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'heddle-dashboard-'))
  const start = (more: Record<string, string> = {}): Promise<ServerProcess> =>
    startServerProcess(
      {
        DATA_DIR: path.join(folder, 'data'),
        JOBS_DIR: path.resolve(import.meta.dirname, '../../../examples/jobs'),
        WORKER_1_THREADS: '2',
        WORKER_2_THREADS: '0',
        ...variables,
        ...more,
      },
      BUILT,
    )
  const [first, browser] = await Promise.all([start(), startBrowser()])
  const { url } = first
  const complaints: string[] = []

  const dashboard: Dashboard = {
    url,
    server: first,
    complaints,
    async open(route, options = {}) {
      const context = await browser.newContext({
        viewport: { width: 1360, height: 860 },
        ...options,
      })
      context.setDefaultTimeout(PATIENCE_MS)
      const page = await context.newPage()
      page.on('pageerror', ({ message }) => complaints.push(`${page.url()}: ${message}`))
      page.on('console', (message) => {
        if (message.type() === 'error') complaints.push(`${page.url()}: ${message.text()}`)
      })
      await page.goto(new URL(route, url).href)
      return page
    },
    async restart() {
      dashboard.server = await start({ API_PORT: new URL(url).port })
    },
    async call(method, route, body) {
      const response = await fetch(`${url}${route}`, {
        method,
        headers: { 'content-type': 'application/json', ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      if (!response.ok) throw new Error(`${method} ${route}: ${await response.text()}`)
      return response.json() as Promise<never>
    },
    async close() {
      await browser.close()
      dashboard.server.signal('SIGKILL')
      await dashboard.server.ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
  return dashboard
}

/** Lets a page bear a mark that loading it again would take away. */
export const mark = (page: Page): Promise<void> =>
  page.evaluate(() => void Object.assign(globalThis, { marked: true }))

export const isMarked = (page: Page): Promise<boolean> =>
  page.evaluate(() => 'marked' in globalThis)
