import type { Store } from './open.ts'

/**
 * Calls back when a client of the database put jobs in the queue with `heddle_enqueue`, once per commit at
 * most, and after a time of not hearing. Resolves with the way to stop.
 */
export const listenWake = (store: Store, onWake: () => void): Promise<() => Promise<void>> =>
  store.listen('heddle_wake', onWake)
