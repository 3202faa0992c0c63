import { LANES, type Lane } from './messages.ts'
import type { Run, Seat } from './run.ts'

/** What comes next there takes its place. */
export function leaveSeats(run: Run): void {
  for (const seat of run.seats) {
    if (seat.next === run) seat.next = null
    if (seat.run !== run) continue
    seat.run = seat.next
    seat.next = null
  }
}

/** Of the threads' control blocks: a lane that no run on any of them has. */
export function freeLane(of: readonly Seat[], runs: Iterable<Run>): Lane | undefined {
  const used = new Set<Lane>()
  for (const { seats, lane } of runs) if (seats.some((seat) => of.includes(seat))) used.add(lane)
  return Array.from({ length: LANES }, (_, lane) => lane).find((lane) => !used.has(lane))
}

export function currentJob({ run, thread }: Seat): string | null {
  if (!run) return null
  const index = run.order.width === 1 ? (thread?.runningItem(run.lane).index ?? 0) : 0
  return run.order.jobIds[Math.max(0, index)] ?? null
}
