import type { Share } from '../../src/core/fair-share.ts'
import type { FairShares } from '../../src/scheduler/fair-shares.ts'

/** Remembers weights; nobody uses anything. */
export function createFakeFairShares(): FairShares {
  const shares = new Map<string, Share>()
  return {
    list: () => Promise.resolve([...shares.values()]),
    setWeight(key, weight) {
      const share = { key, weight, usedThreadMs: 0, share: 0, entitled: 0 }
      shares.set(key, share)
      return Promise.resolve(share)
    },
  }
}
