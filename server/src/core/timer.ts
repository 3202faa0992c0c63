/** The longest that a timer of Node's can be set for, in ms: it fires a longer one at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1
