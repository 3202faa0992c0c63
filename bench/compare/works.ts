/** The rows of the benchmark: what is done, how much of it, and what is measured. */
import type { Cell } from './workload.mjs'

export interface Work {
  name: string
  /** what a reader is told it is */
  title: string
  unit: 'jobs/s' | '× ideal' | 'ms'
  better: 'higher' | 'lower'
  shape: Cell['shape']
  /** jobs, unless the contender is much faster or slower than others */
  count: number
  ms?: number
  batch?: number
  inFlight?: number
  /** what a reader has to know beside the figures */
  note?: string
  /** of the contender; all cores unless told */
  threads?: number
}

const cpu = (ms: number, cores: number): Work => ({
  name: `cpu${ms}`,
  title: `jobs of ${ms} ms of CPU: time to run all, as a multiple of their CPU time / cores`,
  unit: '× ideal',
  better: 'lower',
  shape: 'drain',
  // Of long ones enough that the last of them decides little.
  count: Math.max(Math.ceil((3000 * cores) / ms), 10 * cores),
  ms,
})

const submit = (name: string, title: string, batch: number, inFlight: number): Work => ({
  name,
  title,
  unit: 'jobs/s',
  better: 'higher',
  shape: 'submit',
  count: 40_000,
  batch,
  inFlight,
})

export const worksFor = (cores: number): Work[] => [
  {
    name: 'noop',
    title: 'jobs that do nothing, from a full queue',
    unit: 'jobs/s',
    better: 'higher',
    shape: 'drain',
    count: 20_000,
    note: 'Heddle, sandboxed BullMQ and Piscina hand each job to a thread. The others call it in the process that fetches it, where a bad job would hurt it.',
  },
  submit('submit-single', 'submitted one by one, 1,000 calls at once', 1, 1000),
  submit('submit-bulk', 'submitted in calls of 1,000, one after the other', 1000, 1),
  submit('submit-bulk4', 'submitted in calls of 1,000, four at once', 1000, 4),
  cpu(1, cores),
  cpu(10, cores),
  cpu(100, cores),
  cpu(1000, cores),
  {
    name: 'payload10k',
    title: 'jobs that read a payload of 10 kB, from a full queue',
    unit: 'jobs/s',
    better: 'higher',
    shape: 'drain',
    count: 6_000,
  },
  {
    name: 'mixed',
    title:
      'jobs of 1 to 50 ms of CPU, a third of them to be split over two threads: time to run all, as a multiple of their CPU time / cores',
    unit: '× ideal',
    better: 'lower',
    shape: 'drain',
    count: 120 * cores,
    note: 'Only Heddle can be told of the two threads, and of how long a job is expected to run: the others run the same CPU time on one thread per job.',
    ms: 50,
  },
  {
    name: 'large-array',
    title: 'sum of 1,000,000 numbers on all threads',
    unit: 'ms',
    better: 'lower',
    shape: 'sum',
    count: 10,
    note: 'Heddle checks, stores, splits and reads back 4 MB of JSON. Piscina is given the array in memory, split by hand.',
  },
  {
    name: 'large-array-1',
    title: 'sum of 1,000,000 numbers on one thread',
    unit: 'ms',
    better: 'lower',
    shape: 'sum',
    count: 10,
    threads: 1,
  },
  {
    name: 'latency',
    title: 'one job at a time on an idle node, after 1,000 (or 10 s) of them',
    unit: 'ms',
    better: 'lower',
    shape: 'latency',
    count: 300,
  },
]
