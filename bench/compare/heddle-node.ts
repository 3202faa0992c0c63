/** Heddle as it is started by `npm start`, on the PostgreSQL of a cell, and how it is told of jobs. */
import path from 'node:path'
import { readConfig, startApp, type App } from '../built-app.ts'
import type { BenchJob, Cell } from './workload.mjs'

export type { App }

export const startNode = (cell: Cell, roles: string): Promise<App> =>
  startApp(
    readConfig({
      API_PORT: '0',
      DATA_DIR: cell.folder,
      JOBS_DIR: path.join(import.meta.dirname, 'jobs'),
      DATABASE_URL: cell.postgresUrl,
      ROLES: roles,
      WORKER_1_THREADS: String(cell.cores),
      WORKER_2_THREADS: '0',
      LOG_LEVEL: 'error',
    }),
  )

const requestOf = (cell: Cell, { kind, payload, threads }: BenchJob) => ({
  type: threads > 1 ? 'spin_split' : kind,
  payload,
  threadDemand: threads,
  // `mixed` is of jobs of very different lengths, which their submitter knows.
  ...(cell.work === 'mixed' && {
    expectedMs: Math.max(1, Math.round((payload.rounds ?? 0) / cell.roundsPerMs / threads)),
  }),
})

/** One call of the submitter; resolves when all of its jobs are acknowledged. */
export const sendTo =
  (cell: Cell, { scheduler }: App) =>
  (jobs: BenchJob[]): Promise<unknown> =>
    scheduler.submit(jobs.map((job) => requestOf(cell, job)))

/** The file whose existence lets the first job of a drain go. */
export const gateOf = (cell: Cell): string => path.join(cell.folder, 'gate')
