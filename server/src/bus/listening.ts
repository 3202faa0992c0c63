/** Listens to the jobs of other nodes as long as somebody here wants to hear of them, and a little longer. */
import { log } from '../log.ts'
import { LISTENING_MS } from './audience.ts'

export interface ListeningOptions {
  begin(): Promise<void>
  /** tells the others that this node listens */
  say(): void
  end(): Promise<unknown>
}

export interface Listening {
  /** one who wants to hear; the answer ends it, and calls `off`, once */
  during(off: () => void): () => void
  /** the others may have forgotten */
  sayAgain(): void
  close(): void
}

export function createListening({ begin, say, end }: ListeningOptions): Listening {
  let listeners = 0
  let timer: NodeJS.Timeout | undefined
  let hears = false

  const failed = (error: unknown): void => {
    // A connection that is closed on purpose ends what waits for it.
    if (timer) log.error({ error }, 'the bus could not listen to jobs')
  }
  const start = (): void => {
    const own = (timer = setInterval(() => (listeners > 0 ? sayAgain() : stop()), LISTENING_MS))
    own.unref()
    begin().then(() => {
      if (timer !== own) return
      hears = true
      say()
    }, failed)
  }
  const stop = (): void => {
    clearInterval(timer)
    timer = undefined
    hears = false
    end().catch(failed)
  }
  const sayAgain = (): void => {
    if (hears) say()
  }
  return {
    during(off) {
      listeners += 1
      if (!timer) start()
      let isOver = false
      return () => {
        if (isOver) return
        isOver = true
        listeners -= 1
        off()
      }
    },
    sayAgain,
    close() {
      clearInterval(timer)
      timer = undefined
    },
  }
}
