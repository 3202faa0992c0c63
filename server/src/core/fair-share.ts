/**
 * Fair share: tenants, told apart by the fairness key of their jobs, get thread time in proportion to their
 * weights while they have jobs waiting, however many these are and however long each runs.
 *
 * Start-time fair queueing (Goyal, Vin and Cheng 1996), over thread time in place of bytes. A key has an
 * account: the virtual time at which its next job's turn comes, later by cost / weight with each job. Jobs
 * of equal priority start in the order of their turns. A key that had nothing waiting starts from where the
 * service stands, so it neither saves up what it did not use nor owes for using what nobody wanted.
 *
 *   turn    = max(account, virtual time)
 *   account = turn + cost / weight
 *
 * What a job costs is known only when it has ended: it is charged with what is expected of it, and what that
 * was wrong by moves the key's account and its waiting jobs then. Only the next few of each key are given
 * their turns; the others are parked behind all that have one, and start only where threads would idle.
 *
 * The product keeps its accounts in the database, shared by all nodes: `heddle_give_turns` there does the
 * same arithmetic, and the tests hold one to the other.
 */
import { rank } from './rank.ts'

/** Of a key, beside the others': one of weight 2 gets twice as much as one of weight 1. */
export const FAIR_WEIGHT = { min: 0.01, max: 1000, default: 1 } as const
/** Characters of a fairness key. */
export const FAIRNESS_KEY = { max: 200 } as const

/**
 * How many waiting jobs of a key have their turns: few, since a wrong charge moves them all, but as many more
 * as are expected to be over within `costMs` of thread time, so that threads find the next ones ready.
 */
const AHEAD = { least: 16, most: 256, costMs: 1000 } as const

/** Run time of a job of which nobody knows anything, ms, until it has ended. */
const UNKNOWN_MS = 100

export interface Account {
  weight: number
  /** virtual time, ms */
  turn: number
  /** virtual time that is to be added to its turn and to its waiting jobs', ms */
  owed: number
}

/** Charges a job of `costMs` thread time to the account; answers with the job's turn. */
export function takeTurn(account: Account, virtualTime: number, costMs: number): number {
  const turn = Math.max(account.turn, virtualTime)
  account.turn = turn + costMs / account.weight
  return turn
}

/** A job that was charged `costMs` has used `usedMs`. */
export function correctCharge(account: Account, costMs: number, usedMs: number): void {
  account.owed += (usedMs - costMs) / account.weight
}

/** Thread time, ms, that is worth a correction: each touches every waiting job of the key that has its turn. */
const OWED_MS = 100

/** Puts the account right; by how much its waiting jobs' turns are to move, 0 while it is too little. */
export function collect(account: Account): number {
  const { owed, weight } = account
  if (Math.abs(owed * weight) < OWED_MS) return 0
  account.turn = Math.max(0, account.turn + owed)
  account.owed = 0
  return owed
}

/** A waiting job's turn after its key's was moved: what is given back makes nobody earlier than those being served. */
export const movedTurn = (turn: number, owed: number, virtualTime: number): number =>
  Math.max(turn + owed, Math.min(turn, virtualTime))

/** Thread time to charge in advance, ms. `runMs`: what is expected, null where nothing is. */
export const expectedCost = (threads: number, runMs: number | null): number =>
  threads * (runMs ?? UNKNOWN_MS)

/** Whether a key's next job is given its turn, `ahead` being those that have one and wait. */
export const getsTurn = (ahead: { jobs: number; costMs: number }, costMs: number): boolean =>
  ahead.jobs < AHEAD.least || (ahead.jobs < AHEAD.most && ahead.costMs + costMs <= AHEAD.costMs)

/** Steps of 1 ms of virtual time between two priorities: two thousand years of it. */
const STEPS = 2 ** 46
/** 16 steps are what is still told apart at the ends of the range of priorities. */
const PARKED = STEPS - 16
const LAST_TURN = STEPS - 32

/**
 * The rank of a job whose turn comes at a virtual time: under strict priority the part after the point, so
 * that turns order only jobs of equal priority; with ageing in place of the time of submission.
 */
export const fairRank = (priority: number, turn: number, agingMs: number | null): number =>
  agingMs === null ? Math.min(turn, LAST_TURN) / STEPS - priority : rank(priority, turn, agingMs)

/** The rank of a job that has no turn yet: behind all that have one. */
export const parkedRank = (priority: number, createdAt: number, agingMs: number | null): number =>
  agingMs === null ? PARKED / STEPS - priority : rank(priority, createdAt + STEPS, agingMs)

/** What the virtual time is read from: turns, of jobs of one priority under strict priority, of all with ageing. */
export interface Standing {
  running: readonly number[]
  /** of the first in the queue */
  next: number | null
  /** the latest of all accounts */
  latest: number
  now: number
}

/**
 * Where the service stands: the latest turn that has come. Where nothing runs, the next one of the queue;
 * where nothing waits either, the latest ever given. With ageing it never lags behind the clock, so that an
 * endless stream of new keys cannot hold an old job up for ever.
 */
export function virtualTime(standing: Standing, agingMs: number | null): number {
  const { running, next, latest, now } = standing
  const time = running.length > 0 ? Math.max(...running) : (next ?? latest)
  return Math.max(time, agingMs === null ? 0 : now)
}

export interface Use {
  /** '' stands for jobs without a key */
  key: string
  weight: number
  /** thread time used of late, ms: what lies an hour back counts half */
  usedThreadMs: number
}

export interface Share extends Use {
  /** of what all have used of late */
  share: number
  /** its weight among those of all that have used something of late; 0 for one that has not */
  entitled: number
}

export function sharesOf(uses: readonly Use[]): Share[] {
  const active = uses.filter(({ usedThreadMs }) => usedThreadMs > 0)
  const used = active.reduce((sum, { usedThreadMs }) => sum + usedThreadMs, 0)
  const weights = active.reduce((sum, { weight }) => sum + weight, 0)
  return uses.map((use) => ({
    ...use,
    share: use.usedThreadMs > 0 ? use.usedThreadMs / used : 0,
    entitled: use.usedThreadMs > 0 ? use.weight / weights : 0,
  }))
}
