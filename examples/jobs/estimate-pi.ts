/** Estimates π by throwing darts. Slow on purpose: good for seeing threads and progress at work. */
import { defineJob } from 'heddle'
import { z } from 'zod'

/** Darts of one block. Each block has its own seed, so the answer is the same on any number of threads. */
const BLOCK = 1_000_000

interface Blocks {
  first: number
  last: number
}

/** mulberry32: small, fast, good enough for darts */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let value = Math.imul(state ^ (state >>> 15), 1 | state)
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value
    return ((value ^ (value >>> 14)) >>> 0) / 4294967296
  }
}

function hitsOfBlock(block: number): number {
  const next = random(block)
  let hits = 0
  for (let dart = 0; dart < BLOCK; dart += 1) if (next() ** 2 + next() ** 2 < 1) hits += 1
  return hits
}

export default defineJob({
  type: 'estimate_pi',
  description: 'Estimates π by throwing darts, in millions, on as many threads as it is given',
  payload: z
    .strictObject({ millions: z.int().min(1).max(100_000).describe('darts, in millions') })
    .meta({ examples: [{ millions: 200 }] }),
  parallel: {
    split({ millions }, width): Blocks[] {
      const share = Math.ceil(millions / width)
      const starts = Array.from({ length: Math.ceil(millions / share) }, (_, part) => part * share)
      return starts.map((first) => ({ first, last: Math.min(first + share, millions) }))
    },
    run({ first, last }, context): number {
      let hits = 0
      for (let block = first; block < last; block += 1) {
        context.throwIfCancelled()
        hits += hitsOfBlock(block)
        context.progress((block + 1 - first) / (last - first))
      }
      return hits
    },
    merge(hits, { millions }) {
      const sum = hits.reduce((total, part) => total + part, 0)
      return { pi: (4 * sum) / (millions * BLOCK), darts: millions * BLOCK }
    },
  },
})
