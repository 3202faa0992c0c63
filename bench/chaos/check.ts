import { readFileSync } from 'node:fs'
import type pg from 'pg'
import type { FaultLog } from './faults.ts'

interface Entry {
  key: string
  job: string
  attempt: number
  event: 'start' | 'beat' | 'end'
  at: number
}

export interface Verdict {
  accepted: number
  outcomes: Record<string, number>
  attempts: number
  reruns: number
  /** each of these must be empty */
  violations: {
    withoutOutcome: string[]
    twoOutcomes: string[]
    withoutAcceptance: string[]
    overlapping: string[]
    notCompleted: string[]
  }
  /** ms from the kill of its node to the next start of a job that ran there */
  rescue: { count: number; p50: number; p95: number; max: number } | null
}

/**
 * A frozen thread wakes up knowing nothing, and may write before its process has noticed that the lease
 * is gone and has ended itself. What it answers is refused (that is the fence); the record outside may
 * show this much of it after a thaw.
 */
const FENCE_MS = 250
/** Two beats of a job and some. */
const BEATS_MS = 150
/** A job beats far more often: silence of this length means that it was frozen. */
const SILENCE_MS = 1_000

const quantile = (sorted: number[], q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0

export async function check(
  pool: pg.Pool,
  accepted: Map<string, string>,
  record: string,
  faults: FaultLog[],
): Promise<Verdict> {
  const { rows } = await pool.query<{ id: string; name: string; state: string; attempt: number }>(
    'SELECT id, name, state::text, attempt FROM job_history',
  )
  const left = await pool.query<{ id: string }>('SELECT id FROM job')
  const ended = new Map<string, number>()
  for (const { id } of rows) ended.set(id, (ended.get(id) ?? 0) + 1)
  const ids = new Set(accepted.values())
  const outcomes: Record<string, number> = {}
  for (const { state } of rows) outcomes[state] = (outcomes[state] ?? 0) + 1

  const entries = readRecord(record)
  const runs = attemptsOf(entries, thawsOf(faults))
  return {
    accepted: accepted.size,
    outcomes,
    attempts: runs.length,
    reruns: runs.length - new Set(runs.map((run) => run.job)).size,
    violations: {
      withoutOutcome: [...ids].filter((id) => !ended.has(id)).concat(left.rows.map(({ id }) => id)),
      twoOutcomes: [...ended].filter(([, count]) => count > 1).map(([id]) => id),
      withoutAcceptance: rows.filter(({ id }) => !ids.has(id)).map(({ id }) => id),
      overlapping: overlaps(runs),
      notCompleted: rows.filter(({ state }) => state !== 'COMPLETED').map(({ id }) => id),
    },
    rescue: rescueTimes(runs, faults),
  }
}

const readRecord = (file: string): Entry[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line) as Entry)

interface Run {
  job: string
  startedAt: number
  lastSeenAt: number
  ended: boolean
}

/** One run per start: an attempt number alone may come back when a job was handed back uncounted. */
function attemptsOf(entries: Entry[], thaws: number[]): Run[] {
  const runs: Run[] = []
  const open = new Map<string, Run>()
  for (const { job, attempt, event, at } of entries) {
    const key = `${job}:${attempt}`
    if (event === 'start') {
      const run = { job, startedAt: at, lastSeenAt: at, ended: false }
      runs.push(run)
      open.set(key, run)
    } else {
      const run = open.get(key)
      if (!run) continue
      if (!wokeUp(run, at, thaws)) run.lastSeenAt = Math.max(run.lastSeenAt, at)
      run.ended ||= event === 'end'
    }
  }
  return runs
}

const thawsOf = (faults: FaultLog[]): number[] =>
  faults.filter(({ kind }) => kind.startsWith('freeze')).map(({ at, lastedMs }) => at + lastedMs)

const wokeUp = ({ lastSeenAt }: Run, at: number, thaws: number[]): boolean =>
  at - lastSeenAt > SILENCE_MS && thaws.some((thaw) => at > thaw - FENCE_MS && at < thaw + FENCE_MS)

function byJob(runs: Run[]): Map<string, Run[]> {
  const jobs = new Map<string, Run[]>()
  for (const run of runs) {
    const list = jobs.get(run.job)
    if (list) list.push(run)
    else jobs.set(run.job, [run])
  }
  return jobs
}

function overlaps(runs: Run[]): string[] {
  const found: string[] = []
  for (const [job, list] of byJob(runs)) {
    list.sort((a, b) => a.startedAt - b.startedAt)
    for (const [index, run] of list.entries()) {
      const next = list[index + 1]
      if (next && run.lastSeenAt > next.startedAt) found.push(job)
    }
  }
  return found
}

function rescueTimes(runs: Run[], faults: FaultLog[]): Verdict['rescue'] {
  const kills = faults.filter(({ kind }) => kind === 'kill -9')
  const times: number[] = []
  for (const list of byJob(runs).values()) {
    list.sort((a, b) => a.startedAt - b.startedAt)
    for (const [index, run] of list.entries()) {
      const next = list[index + 1]
      const kill = kills.find(
        ({ at }) => run.startedAt <= at && Math.abs(at - run.lastSeenAt) < BEATS_MS,
      )
      if (next && kill) times.push(next.startedAt - kill.at)
    }
  }
  if (times.length === 0) return null
  times.sort((a, b) => a - b)
  return {
    count: times.length,
    p50: quantile(times, 0.5),
    p95: quantile(times, 0.95),
    max: times.at(-1) ?? 0,
  }
}
