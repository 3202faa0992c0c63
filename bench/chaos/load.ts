import { randomUUID } from 'node:crypto'
import { sleep } from './services.ts'

export interface LoadOptions {
  jobs: number
  /** base addresses of all nodes; some of them are down at any time */
  urls: string[]
  record: string
  /** over how long the submissions are spread */
  overMs: number
  random(): number
}

export interface Load {
  /** idempotency key → id the server answered with */
  accepted: Map<string, string>
  submissions: number
  refused: number
  done: Promise<void>
}

const BATCH = 25
/** A frozen server takes connections and answers nothing. */
const PATIENCE_MS = 3_000

/** One job in thirty goes wrong in its first attempt. */
function trouble(random: () => number): string {
  const roll = random()
  if (roll < 0.02) return 'throw'
  if (roll < 0.03) return 'exit'
  if (roll < 0.033) return 'spin'
  return 'none'
}

/**
 * Submits until every key has been accepted. A submission whose answer was lost is sent again under the
 * same idempotency key, to whichever node answers, as a careful client would.
 */
export function startLoad({ jobs, urls, record, overMs, random }: LoadOptions): Load {
  const accepted = new Map<string, string>()
  const load: Load = { accepted, submissions: 0, refused: 0, done: Promise.resolve() }

  const submit = async (keys: string[]): Promise<void> => {
    const body = JSON.stringify({
      jobs: keys.map((key) => ({
        name: key,
        type: 'chaos',
        priority: Math.floor(random() * 10),
        idempotency_key: key,
        payload: { key, record, ms: Math.floor(random() * 400), trouble: trouble(random) },
      })),
    })
    for (;;) {
      const url = urls[Math.floor(random() * urls.length)] ?? ''
      load.submissions += 1
      const patience = new AbortController()
      const timer = setTimeout(() => patience.abort(), PATIENCE_MS)
      const response = await fetch(`${url}/jobs/bulk`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
        signal: patience.signal,
      }).catch(() => null)
      clearTimeout(timer)
      if (response?.status === 201) {
        const answer = (await response.json().catch(() => null)) as {
          jobs: { id: string; name: string }[]
        } | null
        if (!answer) continue
        for (const job of answer.jobs) {
          const before = accepted.get(job.name)
          if (before !== undefined && before !== job.id)
            throw new Error(`key ${job.name} has two jobs`)
          accepted.set(job.name, job.id)
        }
        return
      }
      if (response && response.status >= 400 && response.status < 500 && response.status !== 429) {
        throw new Error(`a submission was refused: ${response.status} ${await response.text()}`)
      }
      load.refused += 1
      await sleep(200)
    }
  }

  load.done = (async () => {
    const keys = Array.from({ length: jobs }, () => randomUUID())
    const startedAt = Date.now()
    for (let from = 0; from < jobs; from += BATCH) {
      await submit(keys.slice(from, from + BATCH))
      // In bursts, as clients come; a time without a server to answer is caught up with.
      const dueAt = startedAt + (from / jobs) * overMs * (0.8 + random() * 0.4)
      await sleep(Math.max(0, dueAt - Date.now()))
    }
  })()
  return load
}
