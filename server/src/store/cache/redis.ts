/**
 * Active jobs in Redis. Nodes write after their commits without waiting for each other, so writes about one job may
 * arrive out of order. Each says how far the job had come (`stepOf`); from one that comes late it is only learnt that
 * nobody is sure, and the table is asked.
 *
 * Most jobs end before anybody asks for them. One that is new, or has just started, is therefore written when it has
 * been so for `TICK_MS`. At once a mark takes the place of what was known of it, and stops late writes for a while.
 * What still slips through is forgotten after `KEEP_S`.
 *
 * What a node could not write, or only perhaps, makes all entries doubtful: they may be of jobs that have gone on
 * meanwhile. Each carries the epoch in which it was written, and such a node begins a new one.
 */
import { randomUUID } from 'node:crypto'
import type { Cluster, Redis } from 'ioredis'
import { isFinal, type Job } from '../../core/job.ts'
import { log } from '../../log.ts'
import type { JobCache } from './cache.ts'

const KEEP_S = 300
/** Longer than a late write takes. */
const KEEP_MARK_S = 10
const TICK_MS = 250
/** Of jobs that wait to run a node writes so many in `KEEP_S`, about 0.75 kB each. The table knows the others. */
const MAX_QUEUED = 20_000
/** Jobs of one script call. */
const BATCH = 500

/** In place of a job: the table is to be asked. */
const MARK = '-'
/** Written also where nothing is known: the node that took the job in may be about to write it. */
const YOUNG_MARK = '+'

/**
 * KEYS: that of the epoch, those of the jobs. ARGV: how long jobs and marks are kept, in s, and for each job
 * `<step> <JSON or mark>`, which is stored as `<epoch>|<step> <JSON or mark>`.
 */
const writeScript = `
local epoch = (redis.call('GET', KEYS[1]) or '') .. '|'
local function read(text, from)
  local space = string.find(text, ' ', from, true)
  return tonumber(string.sub(text, from, space - 1)), string.sub(text, space + 1)
end
local function mark(key, step)
  redis.call('SET', key, epoch .. step .. ' ${MARK}', 'EX', ARGV[2])
end
for i = 2, #KEYS do
  local key, text = KEYS[i], ARGV[i + 1]
  local step, value = read(text, 1)
  local marks = value == '${MARK}' or value == '${YOUNG_MARK}'
  local knownStep, known = -1, nil
  local stored = redis.call('GET', key)
  if stored and string.sub(stored, 1, #epoch) == epoch then
    knownStep, known = read(stored, #epoch + 1)
  end
  if knownStep > step or (knownStep == step and known == '${MARK}') then
    if not marks and known ~= '${MARK}' then mark(key, knownStep) end
  elseif not marks then
    redis.call('SET', key, epoch .. text, 'EX', ARGV[1])
  elseif known or value == '${YOUNG_MARK}' then
    mark(key, step)
  end
end`

type WithScript = (Redis | Cluster) & {
  writeJobs(keys: number, ...args: string[]): Promise<unknown>
}

interface Waiting {
  job: Job
  /** nothing of it has been written */
  isNew: boolean
  since: number
}

export function createRedisCache(client: Redis | Cluster, prefix: string): JobCache {
  // The braces put all keys in one slot of a cluster, so that one call may name many.
  const keyOf = (id: string): string => `{${prefix}job}:${id}`
  const epochKey = `{${prefix}job}-epoch`
  client.defineCommand('writeJobs', { lua: writeScript })
  const redis = client as WithScript
  const waiting = new Map<string, Waiting>()
  let timer: NodeJS.Timeout | undefined
  let failing = false
  /** something was not written, or only perhaps */
  let lost = false
  const mayQueue = createBudget(MAX_QUEUED, KEEP_S * 1000)

  const guarded = async <T>(work: () => Promise<T>, otherwise: T): Promise<T> => {
    try {
      const result = await work()
      failing = false
      return result
    } catch (error) {
      if (!failing) log.warn({ error: (error as Error).message }, 'the job cache failed')
      failing = true
      return otherwise
    }
  }

  const beginEpoch = (): void => {
    if (!lost) return
    lost = false
    redis.set(epochKey, randomUUID()).catch(() => (lost = true))
  }
  // What was taken before a connection broke may be gone as well: a replica has become the primary.
  redis.on('close', () => (lost = true))
  redis.on('ready', beginEpoch)

  const write = async (entries: [id: string, text: string][]): Promise<void> => {
    if (entries.length === 0) return
    if (redis.status !== 'ready') {
      lost = true
      return
    }
    beginEpoch()
    await guarded(async () => {
      const calls: Promise<unknown>[] = []
      for (let from = 0; from < entries.length; from += BATCH) {
        const batch = entries.slice(from, from + BATCH)
        const keys = batch.map(([id]) => keyOf(id))
        const texts = batch.map(([, text]) => text)
        const kept = [String(KEEP_S), String(KEEP_MARK_S)]
        calls.push(redis.writeJobs(keys.length + 1, epochKey, ...keys, ...kept, ...texts))
      }
      await Promise.all(calls).catch((error: unknown) => {
        lost = true
        throw error
      })
    }, undefined)
  }

  /** Of a job that is to be cancelled any node may tell, and it ends soon. */
  const isWorthIt = ({ state, cancelRequested }: Job): boolean =>
    state === 'RUNNING' ? !cancelRequested : !isFinal(state) && mayQueue()

  const wait = (job: Job, isNew: boolean): void => {
    waiting.set(job.id, { job, isNew, since: performance.now() })
    timer ??= setTimeout(tick, TICK_MS)
  }
  const tick = (): void => {
    timer = undefined
    const before = performance.now() - TICK_MS
    const entries: [string, string][] = []
    for (const [id, { job, since }] of waiting) {
      if (since > before) {
        timer = setTimeout(tick, TICK_MS)
        break
      }
      entries.push(entryOf(job))
      waiting.delete(id)
    }
    void write(entries)
  }

  return {
    get: (id) =>
      guarded(async () => {
        if (redis.status !== 'ready' || lost) return null
        const [epoch, entry] = await redis.mget(epochKey, keyOf(id))
        const head = `${epoch ?? ''}|`
        if (!entry?.startsWith(head)) return null
        const value = entry.slice(entry.indexOf(' ', head.length) + 1)
        return value === MARK ? null : (JSON.parse(value) as Job)
      }, null),
    add(jobs) {
      for (const job of jobs) {
        if (!mayQueue()) return
        wait(job, true)
      }
    },
    put(jobs) {
      const entries: [string, string][] = []
      for (const job of jobs) {
        const known = waiting.get(job.id)
        waiting.delete(job.id)
        // No entry of it has been written, and late ones are stopped by the mark that was, or can be of no other node.
        if (known?.job.attempt === job.attempt && isFinal(job.state)) continue
        if (!isPlainStart(job)) {
          entries.push(isWorthIt(job) ? entryOf(job) : markOf(job, stepOf(job)))
          continue
        }
        const isNew = known?.isNew === true && job.attempt === 1
        if (!isNew) entries.push(markOf(job, stepOf(job) - 1))
        wait(job, isNew)
      }
      return write(entries)
    },
    healthy: () => redis.status === 'ready' && !failing,
    async close() {
      clearTimeout(timer)
      if (redis.status === 'ready') await redis.quit().catch(() => {})
      redis.disconnect()
    },
  }
}

/** How far a job has come. An attempt that is handed back is not counted, so its job steps back. */
const stepOf = ({ state, attempt }: Job): number => {
  if (state === 'RUNNING') return 4 * attempt - 1
  if (state === 'SCHEDULED') return 4 * attempt
  return 4 * attempt + (state === 'QUEUED' ? 1 : 2)
}

/** All that can be told of it is that it has started. */
const isPlainStart = ({ state, progress, cancelRequested }: Job): boolean =>
  state === 'RUNNING' && progress === null && !cancelRequested

const entryOf = (job: Job): [string, string] => [job.id, `${stepOf(job)} ${JSON.stringify(job)}`]

const markOf = ({ id, createdAt }: Job, step: number): [string, string] => [
  id,
  `${step} ${Date.now() - createdAt < KEEP_MARK_S * 1000 ? YOUNG_MARK : MARK}`,
]

/** Whether one more of at most `limit` in `windowMs` may be had; then it is. */
function createBudget(limit: number, windowMs: number): () => boolean {
  let left = limit
  let endsAt = -Infinity
  return () => {
    const now = performance.now()
    if (now >= endsAt) {
      endsAt = now + windowMs
      left = limit
    }
    left -= 1
    return left >= 0
  }
}
