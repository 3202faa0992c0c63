import { existsSync } from 'node:fs'

const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:/Program Files/Google/Chrome/Application/chrome.exe',
]

/**
 * Where a Chromium or Chrome is: CHROMIUM, or one of the usual places. Null where there is none.
 * @returns {string | null}
 */
export const findChromium = () =>
  (process.env['CHROMIUM'] ? [process.env['CHROMIUM']] : PLACES).find((file) => existsSync(file)) ??
  null

/** It calls nobody on the network by itself, and runs as root too, as containers and CI do. */
export const CHROMIUM_ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
