/**
 * The server as `npm start` runs it, in the process that measures it: built before, where a source has changed.
 * Loaded from its sources by tsx it would do more work than the product, since that names every function
 * anew (`Object.defineProperty`) each time one is made.
 */
import './as-started.ts'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import type * as api from '../server/src/api/http.ts'
import type * as app from '../server/src/app.ts'
import type * as config from '../server/src/config.ts'
import type * as registry from '../server/src/job-types/registry.ts'
import type * as freedMemory from '../server/src/workers/freed-memory.ts'
import type * as processWorker from '../server/src/workers/process-worker.ts'
import type * as threadWorker from '../server/src/workers/thread-worker.ts'
import { buildIfChanged } from '../tools/build.mjs'

await buildIfChanged()

const load = (name: string): Promise<unknown> =>
  import(pathToFileURL(path.resolve(import.meta.dirname, '../server/dist', name)).href)

export type { App } from '../server/src/app.ts'
export const { startApp } = (await load('app.js')) as typeof app
export const { readConfig } = (await load('config.js')) as typeof config
export const { createApi } = (await load('api/http.js')) as typeof api
export const { loadRegistry } = (await load('job-types/registry.js')) as typeof registry
export const { startProcessWorker } = (await load(
  'workers/process-worker.js',
)) as typeof processWorker
export const { startThreadWorker } = (await load('workers/thread-worker.js')) as typeof threadWorker

// As main.ts does.
const { keepFreedMemory } = (await load('workers/freed-memory.js')) as typeof freedMemory
keepFreedMemory()
