import type { Backoff } from './job.ts'

/**
 * Time to wait after attempt number `attempt` (from 1) has failed: `baseMs × 2^(attempt − 1)`, at most
 * `maxMs`, of which `jitter` (0..1) takes off up to a half, so that jobs that failed together do not
 * all come back together.
 */
export function backoffMs(backoff: Backoff, attempt: number, jitter: number): number {
  const full = Math.min(backoff.maxMs, backoff.baseMs * 2 ** (attempt - 1))
  return Math.round(full * (1 - jitter / 2))
}
