/**
 * A scheduler in memory with a clock of its own, for tests of what is built on Heddle: nothing is slept
 * for, nothing is stored, and the same submissions always lead to the same decisions, made by the same
 * planner, reservations and predictions as the product's. Imported as `@heddle/server/testing`.
 *
 *   const scheduler = createTestScheduler({ workers: [{ name: 'w', threads: 4 }] })
 *   const id = scheduler.submit({ type: 'report', threadDemand: 4, runMs: 500 })
 *   scheduler.advance(500)
 *   scheduler.job(id).state // 'COMPLETED'
 */
import { createDecisionLog, type Decision } from './decision-log.ts'
import { asExpected, createEstimator } from './estimate.ts'
import { explain, type Explanation } from './explain.ts'
import {
  collect,
  correctCharge,
  expectedCost,
  FAIR_WEIGHT,
  fairRank,
  getsTurn,
  movedTurn,
  parkedRank,
  takeTurn,
  virtualTime,
  type Account,
  type Standing,
} from './fair-share.ts'
import { PRIORITY, type QueuedJob } from './job.ts'
import { plan, type Reservation } from './plan.ts'
import { withPredictions, type LearntView } from './predicted-view.ts'
import { createQueue } from './queue.ts'
import { rank } from './rank.ts'

export interface TestSchedulerOptions {
  workers: readonly { name: string; threads: number }[]
  /** where the clock stands, epoch ms */
  now?: number
  /** ms of waiting that one step of priority is worth; strict priority unless told */
  agingMs?: number | null
  /** whether jobs of equal priority take turns by their fairness keys */
  fairShare?: boolean
  /** of fairness keys; 1 unless told */
  weights?: Readonly<Record<string, number>>
}

export interface TestSubmission {
  type: string
  /** how long it runs on the threads it is given, ms */
  runMs: number | ((width: number) => number)
  priority?: number
  threadDemand?: number | { min: number; preferred: number; max: number }
  expectedMs?: number
  /** whose share of the threads it uses */
  fairnessKey?: string
  /** it runs no longer, and fails then */
  timeoutMs?: number
  /** it ends as FAILED */
  fails?: boolean
}

export interface TestJob {
  id: string
  type: string
  state: 'QUEUED' | 'RUNNING' | 'COMPLETED' | 'FAILED' | 'CANCELLED'
  createdAt: number
  startedAt: number | null
  finishedAt: number | null
  workerName: string | null
  width: number | null
}

export interface TestScheduler {
  now(): number
  /** starts at once what can start; the id of the job */
  submit(job: TestSubmission): string
  cancel(id: string): void
  /** moves the clock; what ends and starts on the way does so in order */
  advance(ms: number): void
  /** moves the clock until nothing is queued and nothing runs that ends */
  drain(): void
  job(id: string): TestJob
  jobs(): TestJob[]
  /** why a job waits and when it is expected to start; null for one that is not queued */
  explain(id: string): Explanation | null
  reservation(): Reservation | null
  /** newest first */
  decisions(): Decision[]
}

interface Entry {
  job: TestJob
  queued: QueuedJob & { priority: number }
  /** thread time to charge, ms */
  costMs: number
  /** virtual time, ms; null for one that has no turn yet */
  turn: number | null
  submission: TestSubmission
  /** when it will end by itself; Infinity until it has started */
  endAt: number
}

export function createTestScheduler(options: TestSchedulerOptions): TestScheduler {
  const { workers, agingMs = null, weights = {} } = options
  const clusterMaxThreads = Math.max(0, ...workers.map(({ threads }) => threads))
  const entries = new Map<string, Entry>()
  const running = new Set<Entry>()
  const queue = createQueue()
  const estimator = createEstimator()
  const log = createDecisionLog()
  const accounts = new Map<string, Account>()
  let now = options.now ?? 0
  let reservation: Reservation | null = null

  const get = (id: string): Entry => {
    const entry = entries.get(id)
    if (!entry) throw new Error(`no job has the id ${id}`)
    return entry
  }
  const accountOf = ({ fairnessKey = '' }: TestSubmission): Account => {
    const account = accounts.get(fairnessKey) ?? {
      weight: weights[fairnessKey] ?? FAIR_WEIGHT.default,
      turn: 0,
      owed: 0,
    }
    accounts.set(fairnessKey, account)
    return account
  }
  const standing = (priority: number): Standing => {
    const turnsOf = (some: Iterable<Entry>): number[] =>
      [...some].flatMap(({ turn, queued }) =>
        turn !== null && (agingMs !== null || queued.priority === priority) ? [turn] : [],
      )
    const next = turnsOf([...queue].map(({ id }) => get(id)))[0] ?? null
    const latest = Math.max(0, ...[...accounts.values()].map(({ turn }) => turn))
    return { running: turnsOf(running), next, latest, now }
  }
  const giveTurns = (): void => {
    const times = new Map<number, number>()
    const timeOf = ({ queued: { priority } }: Entry): number => {
      const time = times.get(priority) ?? virtualTime(standing(priority), agingMs)
      times.set(priority, time)
      return time
    }
    const setTurn = (entry: Entry, turn: number): void => {
      entry.turn = turn
      entry.queued = { ...entry.queued, rank: fairRank(entry.queued.priority, turn, agingMs) }
      queue.remove(entry.job.id)
      queue.add(entry.queued)
    }
    const charge = (entry: Entry): number =>
      takeTurn(accountOf(entry.submission), timeOf(entry), entry.costMs)

    const withTurn = [...queue].map(({ id }) => get(id)).filter(({ turn }) => turn !== null)
    for (const account of accounts.values()) {
      const owed = collect(account)
      if (owed === 0) continue
      for (const entry of withTurn) {
        if (entry.turn === null || accountOf(entry.submission) !== account) continue
        setTurn(entry, movedTurn(entry.turn, owed, timeOf(entry)))
      }
    }
    times.clear()
    for (const entry of running) if (entry.turn === null) entry.turn = charge(entry)
    const ahead = new Map<Account, { jobs: number; costMs: number }>()
    const waiting = [...queue].map(({ id }) => get(id))
    for (const entry of waiting.toSorted(
      (a, b) => Number(a.turn === null) - Number(b.turn === null),
    )) {
      const account = accountOf(entry.submission)
      const before = ahead.get(account) ?? { jobs: 0, costMs: 0 }
      if (entry.turn === null) {
        if (!getsTurn(before, entry.costMs)) continue
        setTurn(entry, charge(entry))
      }
      ahead.set(account, { jobs: before.jobs + 1, costMs: before.costMs + entry.costMs })
    }
  }
  const view = (): LearntView => ({
    queued: queue,
    workers: workers.map(({ name, threads }) => ({
      name,
      threads,
      running: [...running]
        .filter(({ job }) => job.workerName === name)
        .map(({ job, queued }) => ({
          ...queued,
          jobId: job.id,
          width: job.width ?? 1,
          startedAt: job.startedAt ?? now,
        })),
    })),
    clusterMaxThreads,
    now,
    previous: reservation,
    ...(agingMs === null ? {} : { rankStep: agingMs }),
  })
  const decide = (): void => {
    if (options.fairShare) giveTurns()
    const planned = plan(withPredictions(view(), estimator))
    reservation = planned.reservation
    log.reserved(reservation, now)
    log.started(planned.starts, now)
    for (const { id, workerName, width } of planned.starts) {
      const entry = get(id)
      queue.remove(id)
      running.add(entry)
      entry.job = { ...entry.job, state: 'RUNNING', startedAt: now, workerName, width }
      entry.endAt = now + Math.min(runMsOf(entry, width), entry.submission.timeoutMs ?? Infinity)
    }
  }
  const end = (entry: Entry, state: TestJob['state']): void => {
    running.delete(entry)
    entry.job = { ...entry.job, state, finishedAt: now }
    if (!options.fairShare) return
    const { startedAt, width } = entry.job
    const usedMs = startedAt === null ? 0 : (width ?? 1) * (now - startedAt)
    correctCharge(accountOf(entry.submission), entry.turn === null ? 0 : entry.costMs, usedMs)
  }
  const endByItself = (entry: Entry): void => {
    const { width, startedAt } = entry.job
    const runMs = now - (startedAt ?? now)
    const failed = entry.submission.fails === true || runMs < runMsOf(entry, width ?? 1)
    if (!failed) estimator.learn(asExpected(entry.queued, width ?? 1), runMs)
    end(entry, failed ? 'FAILED' : 'COMPLETED')
  }
  const nextEnd = (): number => Math.min(Infinity, ...[...running].map(({ endAt }) => endAt))
  const advanceTo = (time: number): void => {
    for (let next = nextEnd(); next <= time && next < Infinity; next = nextEnd()) {
      now = next
      for (const entry of [...running]) if (entry.endAt <= now) endByItself(entry)
      decide()
    }
    if (time < Infinity) now = Math.max(now, time)
  }

  return {
    now: () => now,
    submit(submission) {
      const id = `job-${String(entries.size + 1).padStart(9, '0')}`
      const { type } = submission
      const queued = toQueued(submission, id, now, options)
      const job: TestJob = {
        ...{ id, type, state: 'QUEUED', createdAt: now },
        ...{ startedAt: null, finishedAt: null, workerName: null, width: null },
      }
      const costMs = expectedCost(queued.gang, estimator.runMs(asExpected(queued, queued.gang)))
      entries.set(id, { job, queued, costMs, turn: null, submission, endAt: Infinity })
      queue.add(queued)
      decide()
      return id
    },
    cancel(id) {
      const entry = get(id)
      if (entry.job.state !== 'QUEUED' && entry.job.state !== 'RUNNING') return
      queue.remove(id)
      end(entry, 'CANCELLED')
      decide()
    },
    advance: (ms) => advanceTo(now + ms),
    drain: () => advanceTo(Infinity),
    job: (id) => ({ ...get(id).job }),
    jobs: () => [...entries.values()].map(({ job }) => ({ ...job })),
    explain(id) {
      const { job, queued } = get(id)
      return job.state === 'QUEUED' ? explain({ ...view(), estimator }, queued) : null
    },
    reservation: () => reservation,
    decisions: () => log.latest(),
  }
}

const runMsOf = ({ submission: { runMs } }: Entry, width: number): number =>
  typeof runMs === 'number' ? runMs : runMs(width)

function toQueued(
  { type, priority = PRIORITY.default, threadDemand = 1, expectedMs, timeoutMs }: TestSubmission,
  id: string,
  now: number,
  { agingMs = null, fairShare = false }: TestSchedulerOptions,
): Entry['queued'] {
  const { min, preferred, max } =
    typeof threadDemand === 'number'
      ? { min: threadDemand, preferred: threadDemand, max: null }
      : threadDemand
  return {
    id,
    type,
    priority,
    rank: (fairShare ? parkedRank : rank)(priority, now, agingMs),
    gang: min,
    threadDemand: preferred,
    maxThreads: max,
    createdAt: now,
    expectedMs: expectedMs ?? null,
    timeoutMs: timeoutMs ?? null,
  }
}
