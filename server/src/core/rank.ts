/**
 * The order of the queue. A job's rank is computed once, when it is submitted, and never changes, so a
 * heap in memory and an index in the database agree for ever and waiting costs nothing.
 *
 * Strict: higher priority first. Ageing: one step of priority is worth `agingMs` of waiting, so a job
 * of low priority overtakes any that come more than the difference later. Everyone who waits gains at
 * the same pace, which is why the rank can be a constant.
 */
export interface Ranked {
  /** lower goes first */
  rank: number
  /** UUIDv7, hence ties go by submission */
  id: string
}

/** What the nodes of a cluster must agree on. */
export interface QueueOrder {
  /** ms of waiting that one step of priority is worth; null for strict priority */
  agingMs: number | null
  /** whether jobs of equal priority take turns by their keys: see `core/fair-share.ts` */
  fairShare: boolean
}

/** `agingMs`: ms of waiting that one step of priority is worth, null for strict priority. */
export const rank = (priority: number, createdAt: number, agingMs: number | null): number =>
  // `0 -` and not a bare minus: a rank of -0 would come back from the database as 0.
  agingMs === null ? 0 - priority : createdAt - priority * agingMs

/** Below zero when `a` goes before `b`; zero only for the same job. */
export function compareRank(a: Ranked, b: Ranked): number {
  if (a.rank !== b.rank) return a.rank < b.rank ? -1 : 1
  if (a.id === b.id) return 0
  return a.id < b.id ? -1 : 1
}
