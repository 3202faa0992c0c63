/** Who takes part, in which configuration, and what each leaves out and why. */
import path from 'node:path'
import { PEERS } from './peers.ts'

export interface Contender {
  name: string
  /** as the tables name it */
  title: string
  /** the package whose version it has; null for ourselves */
  package: string | null
  script: string
  adapter: string
  variant: string
  needs: ('postgres' | 'redis')[]
  /** where its jobs run */
  runs: string
  /** what is left of a job that has completed */
  keeps: string
  /** jobs where the usual count would take too long, or be over too soon */
  counts: Record<string, number>
  /** works it has no part in, and why */
  without: Record<string, string>
  /** works in which a figure of it is missing, and why */
  remarks?: Record<string, string>
}

const DRIVE = path.join(PEERS, 'drive.mjs')
const NO_SPLIT = {
  'large-array': 'cannot spread a job over threads',
  'large-array-1': 'would measure its handling of a 4 MB payload alone',
}
const SAME_QUEUE = (as: string) => ({
  'submit-single': `submits as ${as} does`,
  'submit-bulk': `submits as ${as} does`,
  'submit-bulk4': `submits as ${as} does`,
})

const heddle: Contender = {
  name: 'heddle',
  title: 'Heddle',
  package: null,
  script: path.join(import.meta.dirname, 'heddle.ts'),
  adapter: 'heddle',
  variant: 'default',
  needs: ['postgres'],
  runs: 'one thread per core in a child process, apart from the server',
  keeps: 'job, result, times',
  counts: {
    noop: 200_000,
    payload10k: 24_000,
    'submit-single': 80_000,
    'submit-bulk': 80_000,
    'submit-bulk4': 100_000,
  },
  without: {},
}

const bullmq = (variant: string, rest: Partial<Contender>): Contender => ({
  name: `bullmq-${variant}`,
  title: 'BullMQ',
  package: 'bullmq',
  script: DRIVE,
  adapter: 'bullmq',
  variant,
  needs: ['redis'],
  runs: 'in the worker process itself, one process per core where jobs use CPU',
  keeps: 'nothing',
  counts: {},
  without: NO_SPLIT,
  ...rest,
})

const graphile = (variant: string, rest: Partial<Contender>): Contender => ({
  name: `graphile-${variant}`,
  title: 'Graphile Worker',
  package: 'graphile-worker',
  script: DRIVE,
  adapter: 'graphile-worker',
  variant,
  needs: ['postgres'],
  runs: 'in the worker process itself, one process per core where jobs use CPU',
  keeps: 'nothing',
  counts: { 'submit-single': 5_000 },
  without: NO_SPLIT,
  remarks: { latency: 'tells of a completion before it is stored, so only the start is here' },
  ...rest,
})

export const contenders: Contender[] = [
  heddle,
  bullmq('inline', {
    title: 'BullMQ, Redis, inline',
    counts: { noop: 80_000, payload10k: 24_000 },
  }),
  bullmq('sandboxed', {
    title: 'BullMQ, Redis, sandboxed threads',
    runs: 'worker threads of the worker process',
    counts: { noop: 12_000 },
    without: { ...NO_SPLIT, ...SAME_QUEUE('BullMQ inline') },
  }),
  bullmq('postgres', {
    title: 'BullMQ, PostgreSQL, inline',
    needs: ['postgres'],
    counts: { noop: 6_000, payload10k: 4_000, 'submit-single': 6_000 },
  }),
  graphile('default', {
    title: 'Graphile Worker, default',
    counts: { noop: 10_000, 'submit-single': 5_000 },
  }),
  graphile('tuned', {
    title: 'Graphile Worker, tuned',
    counts: { noop: 200_000, payload10k: 24_000 },
    without: { ...NO_SPLIT, ...SAME_QUEUE('Graphile Worker default') },
  }),
  {
    name: 'pg-boss',
    title: 'pg-boss, in batches',
    package: 'pg-boss',
    script: DRIVE,
    adapter: 'pg-boss',
    variant: 'batched',
    needs: ['postgres'],
    runs: 'in the worker process itself, one process per core where jobs use CPU',
    keeps: 'job and times, no result',
    counts: { noop: 60_000, 'submit-single': 6_000, 'submit-bulk': 80_000, 'submit-bulk4': 80_000 },
    without: NO_SPLIT,
    remarks: { latency: 'tells nobody of a completion, so only the start is here' },
  },
  {
    name: 'piscina',
    title: 'Piscina, no queue',
    package: 'piscina',
    script: path.join(PEERS, 'piscina.mjs'),
    adapter: 'piscina',
    variant: 'pool',
    needs: [],
    runs: 'one worker thread per core',
    keeps: 'nothing, and stores nothing',
    counts: { noop: 200_000, payload10k: 30_000 },
    without: {
      'submit-single': 'has no queue',
      'submit-bulk': 'has no queue',
      'submit-bulk4': 'has no queue',
    },
  },
]
