import { LANES, type Lane } from './messages.ts'
import { splitIds } from './packing.ts'
import type { Run, Seat } from './run.ts'
import { runningItem } from './run-items.ts'
import { UNSENT_BYTES } from './unsent-answers.js'

/** A place for a thread that is not there yet. */
export const createSeat = (index: number): Seat => ({
  ...{ index, thread: null, run: null, next: null },
  unsent: new SharedArrayBuffer(UNSENT_BYTES),
  lanes: Array.from({ length: LANES }, () => null),
})

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
export function freeLane(of: readonly Seat[]): Lane | undefined {
  for (let lane = 0; lane < LANES; lane += 1) {
    if (of.every(({ lanes }) => lanes[lane] === null)) return lane
  }
  return undefined
}

/** Those that have not ended, a gang once. */
export const openRuns = (seats: readonly Seat[]): Run[] =>
  seats.flatMap((seat) => seat.lanes.flatMap((run) => (run?.seats[0] === seat ? run : [])))

export const hasRuns = ({ lanes }: Seat): boolean => lanes.some((run) => run !== null)

export const isOpen = (run: Run): boolean => run.seats[0]?.lanes[run.lane] === run

export const currentJob = ({ run }: Seat): string | null =>
  run ? (splitIds(run.order)[Math.max(0, runningItem(run).index)] ?? null) : null
