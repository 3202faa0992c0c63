// `npm start`: installs and builds what is missing or has changed, then becomes the server. Nothing is
// installed when this starts, so it uses Node alone.
import { requireNode } from './node-version.mjs'

requireNode()
const { endOn } = await import('./steps.mjs')
const { install } = await import('./install.mjs')
const { buildIfChanged } = await import('./build.mjs')

try {
  await install()
  await buildIfChanged()
} catch (error) {
  endOn(error)
}
// npm passes a SIGTERM on to the shell between us and itself, which dies of it and tells nobody.
if (process.env.npm_lifecycle_event) {
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    process.kill(process.pid, 'SIGTERM')
    clearInterval(watch)
  }, 500)
  watch.unref()
}
// In this process, so that signals and the exit code are the server's own.
await import('../server/dist/main.js')
