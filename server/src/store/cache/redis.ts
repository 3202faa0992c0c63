/**
 * Active jobs in Redis. Nodes write after their commits without waiting for each other, so writes about
 * one job may arrive out of order. An entry carries its attempt: a write about an earlier attempt is late
 * and changes nothing, and an ended job leaves a mark for a while that stops late writes about it. What
 * still slips through is forgotten after `KEEP_S`.
 */
import type { Cluster, Redis } from 'ioredis'
import { isFinal, type Job } from '../../core/job.ts'
import { log } from '../../log.ts'
import type { JobCache } from './cache.ts'

const KEEP_S = 300
/** Longer than a late write takes. */
const KEEP_ENDED_S = 30
/** Keys of one script call. */
const BATCH = 500
const ENDED = 'ended'

// Values are '<attempt> <json>', or '<attempt> ended'. A retry of an ended job queues it at the same attempt.
const script = `
for i, key in ipairs(KEYS) do
  local attempt, value, state = tonumber(ARGV[3 * i]), ARGV[3 * i + 1], ARGV[3 * i + 2]
  local known = redis.call('GET', key)
  local late = false
  if known then
    local knownAttempt, rest = string.match(known, '^(%d+) (.*)$')
    knownAttempt = tonumber(knownAttempt)
    late = attempt < knownAttempt or
      (rest == '${ENDED}' and attempt == knownAttempt and state ~= 'QUEUED')
  end
  if not late then
    redis.call('SET', key, attempt .. ' ' .. value, 'EX', value == '${ENDED}' and ARGV[2] or ARGV[1])
  end
end`

export function createRedisCache(redis: Redis | Cluster, prefix: string): JobCache {
  // The braces put all keys in one slot of a cluster, so that one call may name many.
  const keyOf = (id: string): string => `{${prefix}job}:${id}`
  let failing = false

  const guarded = async <T>(work: () => Promise<T>, otherwise: T): Promise<T> => {
    if (redis.status !== 'ready') return otherwise
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

  return {
    get: (id) =>
      guarded(async () => {
        const entry = await redis.get(keyOf(id))
        const value = entry?.slice(entry.indexOf(' ') + 1)
        return value === undefined || value === ENDED ? null : (JSON.parse(value) as Job)
      }, null),
    put: (jobs) =>
      guarded(async () => {
        const calls: Promise<unknown>[] = []
        for (let from = 0; from < jobs.length; from += BATCH) {
          const batch = jobs.slice(from, from + BATCH)
          const keys = batch.map(({ id }) => keyOf(id))
          const values = batch.flatMap((job) => [
            String(job.attempt),
            isFinal(job.state) ? ENDED : JSON.stringify(job),
            job.state,
          ])
          calls.push(
            redis.eval(
              script,
              keys.length,
              ...keys,
              String(KEEP_S),
              String(KEEP_ENDED_S),
              ...values,
            ),
          )
        }
        await Promise.all(calls)
      }, undefined),
    healthy: () => redis.status === 'ready' && !failing,
    async close() {
      if (redis.status === 'ready') await redis.quit().catch(() => {})
      redis.disconnect()
    },
  }
}
