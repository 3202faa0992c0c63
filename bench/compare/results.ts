/** Collects the figures of all rounds and compares their medians. */
import type { CellResult } from './cell.ts'
import type { Contender } from './contenders.ts'
import type { Work } from './works.ts'
import { median } from '../median.ts'

export interface Row {
  work: string
  figure: string
  unit: Work['unit']
  better: Work['better']
  contender: string
  rounds: number[]
  median: number
  min: number
  max: number
  /** our median / theirs; null in our own rows, and where we have none */
  ratio: number | null
  count: number
  settings: Record<string, unknown>
}

export interface Failure {
  work: string
  contender: string
  reason: string
}

export interface Results {
  add(work: Work, contender: Contender, result: CellResult): void
  fail(failure: Failure): void
  rows(): Row[]
  failures: Failure[]
}

export const OURS = 'heddle'

export function createResults(): Results {
  const rows: Row[] = []
  const failures: Failure[] = []

  const rowOf = (work: Work, contender: Contender, figure: string): Row => {
    const found = rows.find(
      (row) => row.work === work.name && row.contender === contender.name && row.figure === figure,
    )
    if (found) return found
    const row: Row = {
      work: work.name,
      figure,
      unit: work.unit,
      better: work.better,
      contender: contender.name,
      rounds: [],
      median: Number.NaN,
      min: Number.NaN,
      max: Number.NaN,
      ratio: null,
      count: 0,
      settings: {},
    }
    rows.push(row)
    return row
  }

  return {
    failures,
    add(work, contender, { count, figures, settings }) {
      for (const [figure, value] of Object.entries(figures)) {
        const row = rowOf(work, contender, figure)
        row.rounds.push(value)
        row.count = count
        row.settings = settings
      }
    },
    fail: (failure) => void failures.push(failure),
    rows() {
      for (const row of rows) {
        row.median = median(row.rounds)
        row.min = Math.min(...row.rounds)
        row.max = Math.max(...row.rounds)
      }
      for (const row of rows) {
        const ours = rows.find(
          ({ work, figure, contender }) =>
            work === row.work && figure === row.figure && contender === OURS,
        )
        row.ratio = ours && row !== ours ? ours.median / row.median : null
      }
      return rows
    },
  }
}

/** Whether our figure is the better one. */
export const leads = ({ ratio, better }: Row): boolean =>
  ratio !== null && (better === 'higher' ? ratio > 1 : ratio < 1)
