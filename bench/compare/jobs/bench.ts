/** The benchmark's work as job types of Heddle, loaded through `JOBS_DIR` as anybody's own are. */
import { existsSync, writeFileSync } from 'node:fs'
import { defineJob } from 'heddle'
import { z } from 'zod'
import { perform, spin } from '../workload.mjs'

const n = z.int()

/** Says that it runs, then waits without a busy loop: what it holds are threads, not cores. */
async function untilExists({ file, chunk }: { file: string; chunk: number }): Promise<void> {
  writeFileSync(`${file}.${chunk}`, '')
  while (!existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 1))
}

export default [
  defineJob({
    type: 'noop',
    payload: z.object({ n }),
    run: (payload) => perform('noop', payload),
  }),
  defineJob({
    type: 'spin',
    payload: z.object({ n, rounds: z.int() }),
    run: (payload) => perform('spin', payload),
  }),
  defineJob({
    type: 'spin_split',
    payload: z.object({ n, rounds: z.int() }),
    parallel: {
      split: ({ rounds }, width) => Array.from({ length: width }, () => Math.round(rounds / width)),
      run: (rounds: number) => spin(rounds),
      merge: (parts: number[]) => parts.length,
    },
  }),
  defineJob({
    type: 'touch',
    payload: z.object({ n, records: z.array(z.string()) }),
    run: (payload) => perform('touch', payload),
  }),
  defineJob({
    type: 'stamp',
    payload: z.object({ n }),
    run: (payload) => perform('stamp', payload),
  }),
  // Holds all threads of a node until the file exists, so that the queue waits behind it full and the
  // clock starts with a node that is up.
  defineJob({
    type: 'gate',
    payload: z.object({ file: z.string() }),
    timeoutMs: 600_000,
    parallel: {
      split: ({ file }, width) => Array.from({ length: width }, (_, chunk) => ({ file, chunk })),
      run: untilExists,
      merge: () => null,
    },
  }),
]
