import { chromium, type Browser } from 'playwright-core'
import { CHROMIUM_ARGS, findChromium } from '../../../tools/chromium.mjs'

/** Whether tests in a browser can run. Throws instead of answering no where REQUIRE_SERVICES=1. */
export function haveChromium(): boolean {
  if (findChromium() !== null) return true
  const message = 'no Chromium or Chrome was found (CHROMIUM=/path/to/it)'
  if (process.env['REQUIRE_SERVICES'] === '1') {
    throw new Error(`${message}, and REQUIRE_SERVICES=1 wants its tests run`)
  }
  process.stderr.write(`Skipping tests in a browser: ${message}.\n`)
  return false
}

export const startBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: findChromium() ?? '', args: CHROMIUM_ARGS })
