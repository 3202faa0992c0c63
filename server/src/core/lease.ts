/**
 * When a node may work, and when others may run its jobs again. Everything here is arithmetic on ages.
 *
 * The node's row holds `heartbeat_at`, written by the database's clock. Two rules keep the attempts of
 * a job from overlapping:
 *
 *   1. The node counts from the moment it SENT its last heartbeat that was answered, on its own
 *      monotonic clock, and has stopped its jobs when that is `stopAfterMs + stopWithinMs` ago.
 *   2. Others rescue when the database's clock is more than `leaseMs` past `heartbeat_at`.
 *
 * A heartbeat is sent before it is written, so in real time the node has stopped at
 * sent + stopAfterMs + stopWithinMs ≤ written + leaseMs, which is before anyone rescues. No clocks are
 * compared, only durations: what could break the order is a clock that runs faster or slower than
 * another by more than `driftMs` in one lease (1 % is allowed for, crystals keep 0.01 %), or a process
 * that stands still (SIGSTOP, a frozen machine) and wakes later than its lease. For that case there
 * is the fence: the row names node and attempt, and what a lost lease writes changes nothing.
 *
 *   sent  written                   stop begins   stopped        rescue
 *    │──────│───────────────────────────│─────────────│─────────────│────► real time
 *    └────────── stopAfterMs ───────────┘└stopWithinMs┘
 *           └──────────────────────── leaseMs ──────────────────────┘
 *
 * How soon a dead node's jobs run again, with the defaults: the lease lapses 8 to 10 s after the death.
 * Everybody looks around every 3.5 s, sees that the node is silent, and looks again at that very moment.
 *
 * After an outage of the database every lease looks old. So only a node that has itself been in touch
 * for a whole lease time rescues (`mayRescue`): by then everyone who lives has renewed.
 */
export interface LeaseTiming {
  /** age of a heartbeat beyond which others may run the node's jobs again */
  leaseMs: number
  /** how often a node renews */
  heartbeatMs: number
  /** age of the last renewal, from when it was sent, at which a node stops its jobs */
  stopAfterMs: number
  /** time in which the jobs must have stopped then */
  stopWithinMs: number
  /** clocks may drift apart by this much in one lease */
  driftMs: number
  /** how often a node looks for dead ones */
  rescueMs: number
}

export const DEFAULT_LEASE_MS = 10_000

/** The other times in proportion, so that a test can run through a lease in a second. */
export function leaseTiming(leaseMs: number = DEFAULT_LEASE_MS): LeaseTiming {
  return {
    leaseMs,
    heartbeatMs: leaseMs * 0.2,
    stopAfterMs: leaseMs * 0.7,
    stopWithinMs: leaseMs * 0.29,
    driftMs: leaseMs * 0.01,
    rescueMs: leaseMs * 0.35,
  }
}

/**
 * held      nothing to do
 * renew     a heartbeat is due; the node may work and claim
 * stopWork  claim nothing, stop every job: others may run them soon
 */
export type LeaseState = 'held' | 'renew' | 'stopWork'

/** `ageMs`: since the last answered heartbeat was sent, on this machine's monotonic clock. */
export function leaseState(timing: LeaseTiming, ageMs: number): LeaseState {
  if (ageMs >= timing.stopAfterMs) return 'stopWork'
  return ageMs >= timing.heartbeatMs ? 'renew' : 'held'
}

/** A lease that old, on the database's clock, is nobody's any more. */
export const hasLapsed = (timing: LeaseTiming, heartbeatAgeMs: number): boolean =>
  heartbeatAgeMs > timing.leaseMs

/** Two heartbeats in a row are missing: the node is dead, or has trouble. */
export const isSilent = (timing: LeaseTiming, heartbeatAgeMs: number): boolean =>
  heartbeatAgeMs > 2.5 * timing.heartbeatMs

/** `inTouchMs`: how long this node's own heartbeats have been answered without a gap of a lease time. */
export const mayRescue = (timing: LeaseTiming, inTouchMs: number): boolean =>
  inTouchMs >= timing.leaseMs
