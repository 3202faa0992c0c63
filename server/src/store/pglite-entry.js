// The thread that PGlite runs in. Plain JavaScript, because neither tsx nor vitest transforms a worker's
// entry file on Node 20. `pglite-thread.ts` is the other side of these messages.
import { setFlagsFromString } from 'node:v8'
import { parentPort, workerData } from 'node:worker_threads'
import { PGlite } from '@electric-sql/pglite'

const port = /** @type {import('node:worker_threads').MessagePort} */ (parentPort)
/** Errors of the engine may print its whole source. @param {unknown} error */
const say = (error) => String(error instanceof Error ? error.message : error).slice(0, 500)

// By default V8 compiles what has run for some ms once more, better. Most functions of the engine that a start needs
// came to that: 1 s of CPU, for which the other modules and the workers had to wait, so that an embedded server was
// ready after 2.6 s in place of 1.9. They are compiled again when they have run 500 times as much. (The flag is
// V8's, which may drop it: then it says so, and a start takes as long as before.)
setFlagsFromString('--wasm-tiering-budget=1000000000')

try {
  const { dataDir, image } = workerData
  /** @type {import('./pglite-thread.ts').PGliteOptions['settings']} */
  const settings = workerData.settings
  const engine = await PGlite.create({
    dataDir,
    startParams: [
      ...PGlite.defaultStartParams,
      ...settings.flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    ...(image ? { loadDataDir: new Blob([image]) } : {}),
  })
  engine.onNotification((channel) => port.postMessage({ channel }))
  port.on('message', async ({ id, bytes, op }) => {
    try {
      if (op === 'close') {
        await engine.close()
        port.postMessage({ id })
      } else {
        // The result may lie in the engine's own memory, which the next statement overwrites.
        const answer = (await engine.execProtocolRaw(bytes)).slice()
        port.postMessage({ id, bytes: answer }, [answer.buffer])
      }
    } catch (error) {
      port.postMessage({ id, error: say(error) })
    }
  })
  port.postMessage({ ready: true })
} catch (error) {
  port.postMessage({ ready: false, error: say(error) })
}
