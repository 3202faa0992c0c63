import type { App } from './app.ts'
import { log } from './log.ts'

/** Room for sockets and the database to close after the drain's own deadline. */
const CLOSE_MS = 10_000

/** First signal: finish what runs, hand back the rest, close. Second: hand back at once. Third: give up. */
export function onStopSignals(app: App): void {
  let count = 0
  const stop = (signal: NodeJS.Signals): void => {
    count += 1
    if (count === 1) {
      log.info({ signal }, 'stopping: running jobs may finish, the others go back to the queue')
      setTimeout(() => process.exit(1), app.shutdownMs + CLOSE_MS).unref()
      app.close().then(
        () => process.exit(0),
        (error: unknown) => {
          log.error({ error }, 'did not stop cleanly')
          process.exit(1)
        },
      )
    } else if (count === 2) {
      log.info({ signal }, 'hurrying: running jobs go back to the queue now')
      app.hurry()
    } else process.exit(1)
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
}
