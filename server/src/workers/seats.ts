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
export function freeLane(of: readonly Seat[], runs: readonly Run[]): Lane | undefined {
  const isUsed = (lane: Lane): boolean =>
    runs.some((run) => run.lane === lane && run.seats.some((seat) => of.includes(seat)))
  for (let lane = 0; lane < LANES; lane += 1) if (!isUsed(lane)) return lane
  return undefined
}

export function currentJob({ run, thread }: Seat): string | null {
  if (!run) return null
  const index = run.order.width === 1 ? (thread?.runningItem(run.lane).index ?? 0) : 0
  return run.order.jobIds[Math.max(0, index)] ?? null
}
