/** What holds for jobs whose type and submitter do not say otherwise. */
import type { Backoff } from './job.ts'

/** Long for any job that belongs on a thread. */
export const DEFAULT_TIMEOUT_MS = 5 * 60_000
export const DEFAULT_MAX_ATTEMPTS = 3
export const DEFAULT_BACKOFF: Backoff = { baseMs: 1_000, maxMs: 60_000 }
