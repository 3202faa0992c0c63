import { HeddleError } from '../core/errors.ts'
import { FAIR_WEIGHT, FAIRNESS_KEY, sharesOf, type Share } from '../core/fair-share.ts'
import { listFairShares, setFairWeight } from '../store/fair-share.ts'
import type { Store } from '../store/open.ts'

export interface FairShares {
  /** what the fairness keys have used of late, most first, at most 500. STORE_UNAVAILABLE */
  list(): Promise<Share[]>
  /** Weighs the jobs of a key that are submitted from now on. INVALID_ARGUMENT, STORE_UNAVAILABLE */
  setWeight(key: string, weight: number): Promise<Share>
}

export function createFairShares(store: Store): FairShares {
  const list = async (): Promise<Share[]> => sharesOf(await listFairShares(store))
  return {
    list,
    async setWeight(key, weight) {
      const { min, max } = FAIR_WEIGHT
      if (!(weight >= min && weight <= max)) refuse('weight', `must be from ${min} to ${max}`)
      // Postgres text cannot hold NUL.
      if (key.length > FAIRNESS_KEY.max || key.includes('\0')) {
        refuse('key', `must have ${FAIRNESS_KEY.max} characters or less, none of them NUL`)
      }
      const stored = await setFairWeight(store, key, weight)
      const share = (await list()).find((each) => each.key === key)
      return share ?? { ...stored, share: 0, entitled: 0 }
    },
  }
}

function refuse(argument: string, message: string): never {
  throw new HeddleError('INVALID_ARGUMENT', `${argument} ${message}`, {
    issues: [{ path: [argument], message }],
  })
}
