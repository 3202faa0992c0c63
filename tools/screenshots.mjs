// `pnpm screenshots`: starts the built product on a folder of its own, fills it with jobs of every kind and
// state, and writes docs/screenshots/<page>-<light|dark>.png.
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { chromium } from 'playwright-core'
import { CHROMIUM_ARGS, findChromium } from './chromium.mjs'
import { ROOT } from './steps.mjs'

const OUT = path.join(ROOT, 'docs/screenshots')
const SIZE = { width: 1360, height: 860 }

/** Resolves with the server's address and a function that ends it. */
async function startServer(dataDir) {
  const child = spawn(process.execPath, [path.join(ROOT, 'server/dist/main.js')], {
    cwd: dataDir,
    env: {
      PATH: process.env.PATH,
      API_PORT: '0',
      DATA_DIR: path.join(dataDir, 'data'),
      JOBS_DIR: path.join(ROOT, 'examples/jobs'),
      SHUTDOWN_MS: '0',
      LOG_LEVEL: 'warn',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  let output = ''
  const url = await new Promise((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      output += chunk
      const match = /Dashboard\s+(http:\S+)/.exec(output)
      if (match) resolve(match[1])
    })
    ended.then(() => reject(new Error(`the server ended:\n${output}`)))
  })
  return {
    url,
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
  }
}

async function call(url, route, body, method = 'POST') {
  const response = await fetch(`${url}${route}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  if (!response.ok)
    throw new Error(`${method} ${route}: ${response.status} ${await response.text()}`)
  return response.json()
}

const submitAll = async (url, jobs) => (await call(url, '/jobs/bulk', { jobs })).jobs

const pick = (list, index) => list[index % list.length]

function finishedJobs() {
  const orders = ['Invoice totals', 'Monthly ledger', 'Sensor readings', 'Order book', 'Payroll']
  const pictures = ['Team portrait', 'Product shot', 'Banner', 'Avatar', 'Map tile']
  const texts = ['Drawn onward', 'Never odd or even', 'Straw warts', 'A nut for a jar of tuna']
  return Array.from({ length: 160 }, (_, index) => {
    const priority = (index * 7) % 21
    switch (index % 5) {
      case 0:
      case 1:
        return {
          name: pick(orders, index + (index % 3)),
          type: 'large_array_sum',
          priority,
          thread_demand: pick([1, 2, 4, 8], index),
          payload: { numbers: Array.from({ length: 40_000 }, (_, n) => (n * (index + 3)) % 1009) },
        }
      case 2:
        return {
          name: pick(pictures, index),
          type: 'resize_image',
          priority,
          payload: { width: pick([320, 640, 128], index), format: pick(['webp', 'png'], index) },
        }
      case 3:
        return {
          name: pick(texts, index),
          type: 'reverse_string',
          priority,
          payload: { text: pick(texts, index) },
        }
      default:
        return {
          name: `Weekly report ${index}`,
          type: 'flaky_report',
          priority,
          max_attempts: 2,
          backoff: { base_ms: 20, max_ms: 20 },
          payload: { title: `week ${index % 52}`, failures: index % 15 === 14 ? 5 : index % 2 },
        }
    }
  })
}

/** Enough work that threads stay busy and a queue builds up behind them while the pictures are taken. */
const longJobs = () =>
  Array.from({ length: 24 }, (_, index) => ({
    name: pick(['Night simulation', 'Risk model', 'Forecast', 'Backtest'], index),
    type: 'estimate_pi',
    priority: pick([10, 5, 5, 0, 20, 0], index),
    thread_demand: pick([4, 2, 1, 3], index),
    payload: { millions: 300 + index * 100 },
  }))

async function ended(url, jobs) {
  for (const { id } of jobs) {
    for (;;) {
      const { state } = await call(url, `/jobs/${id}`, undefined, 'GET')
      if (['COMPLETED', 'FAILED', 'CANCELLED'].includes(state)) break
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

async function fill(url) {
  await ended(url, await submitAll(url, finishedJobs()))
  const [cancelled] = await submitAll(url, [
    { name: 'Started by mistake', type: 'estimate_pi', payload: { millions: 50_000 } },
  ])
  await call(url, `/jobs/${cancelled.id}`, undefined, 'DELETE')
  await ended(url, [cancelled])
  const running = await submitAll(url, longJobs())
  await submitAll(url, [
    {
      name: 'Tomorrow’s report',
      type: 'flaky_report',
      delay_ms: 36_000_000,
      payload: { title: 'tomorrow' },
    },
  ])
  return running
}

const dataDir = mkdtempSync(path.join(os.tmpdir(), 'heddle-screenshots-'))
const server = await startServer(dataDir)
const browser = await chromium.launch({
  executablePath: findChromium() ?? '',
  args: CHROMIUM_ARGS,
})
try {
  const job = (await fill(server.url))[4]
  mkdirSync(OUT, { recursive: true })
  const pages = {
    jobs: '/',
    job: `/job/${job.id}`,
    history: '/history',
    cluster: '/cluster',
    submit: '/submit',
  }
  for (const colorScheme of ['light', 'dark']) {
    const context = await browser.newContext({ viewport: SIZE, colorScheme, deviceScaleFactor: 2 })
    const page = await context.newPage()
    for (const [name, route] of Object.entries(pages)) {
      await page.goto(`${server.url}${route}`)
      // Time for the first live updates to arrive.
      await page.waitForTimeout(1_500)
      await page.screenshot({ path: path.join(OUT, `${name}-${colorScheme}.png`) })
      console.log(`docs/screenshots/${name}-${colorScheme}.png`)
    }
    await context.close()
  }
} finally {
  await browser.close()
  await server.stop()
  rmSync(dataDir, { recursive: true, force: true })
}
