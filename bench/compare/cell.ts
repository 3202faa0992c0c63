/** One contender at one work, once, in a process of its own. */
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { START_FLAGS } from '../built-server.ts'
import { percentile } from '../../server/src/core/metrics.ts'
import type { Calibration } from './calibrate.ts'
import type { Contender } from './contenders.ts'
import type { Services } from './services.ts'
import type { Cell, Measured } from './workload.mjs'
import type { Work } from './works.ts'

const LIMIT_MS = 180_000
const QUICK = 10

/** the compiler that our own sources need, wherever the child is started */
const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href

export interface CellOptions {
  services: Services
  cores: number
  /** that jobs of a length are made of */
  roundsPerMs: number
  calibration: Calibration
  quick: boolean
  /** ends the cell under way */
  stop: AbortSignal
}

/** What is measured of a cell, by name: one figure for most works, several for latency. */
export type Figures = Record<string, number>

export interface CellResult {
  count: number
  figures: Figures
  settings: Record<string, unknown>
}

/** Resolves with the last line that the child prints. Rejects with what it complained of. */
function lastLineOf(script: string, cell: Cell, stop: AbortSignal): Promise<string> {
  // Heddle alone, with what `npm start` gives it; the documentation of its peers names no flags.
  const flags = script.endsWith('.ts') ? [...START_FLAGS, '--import', TSX] : []
  const child = spawn(process.execPath, [...flags, script, JSON.stringify(cell)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: stop,
  })
  const limit = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS)
  let output = ''
  let complaints = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      clearTimeout(limit)
      const line = output.trim().split('\n').at(-1)
      if (code === 0 && line) resolve(line)
      else reject(new Error(`ended with ${code ?? signal}: ${complaints.trim().slice(-2000)}`))
    })
  })
}

/** `speed`: of the cores meanwhile, over that which jobs of a length are made for. */
function figuresOf({ unit }: Work, count: number, measured: Measured, speed: number): Figures {
  const { ms, idealMs, samples, latency } = measured
  if (latency) {
    const { startMs, endMs } = latency
    return {
      'submit to start, p50': percentile(startMs, 0.5) ?? 0,
      'submit to start, p99': percentile(startMs, 0.99) ?? 0,
      ...(endMs && {
        'submit to completion heard of, p50': percentile(endMs, 0.5) ?? 0,
        'submit to completion heard of, p99': percentile(endMs, 0.99) ?? 0,
      }),
    }
  }
  if (samples) return { median: percentile(samples, 0.5) ?? 0 }
  if (ms === undefined) throw new Error('the contender measured nothing')
  return unit === 'jobs/s'
    ? { rate: (count / ms) * 1000 }
    : { makespan: (ms / (idealMs ?? 1)) * speed }
}

export async function runCell(
  contender: Contender,
  work: Work,
  { services, cores, roundsPerMs, calibration, quick, stop }: CellOptions,
): Promise<CellResult> {
  const usual = contender.counts[work.name] ?? work.count
  const count = quick ? Math.max(5, Math.round(usual / QUICK)) : usual
  const ground = await services.ground()
  const { clear, ...where } = ground
  try {
    const cell: Cell = {
      adapter: contender.adapter,
      variant: contender.variant,
      work: work.name,
      shape: work.shape,
      count,
      ms: work.ms ?? 0,
      batch: work.batch ?? 0,
      inFlight: work.inFlight ?? 0,
      threads: work.threads ?? cores,
      cores,
      roundsPerMs,
      ...where,
    }
    const roundsNow = (): Promise<number> =>
      work.unit === '× ideal' ? calibration.roundsPerMs() : Promise.resolve(roundsPerMs)
    const before = await roundsNow()
    const line = await lastLineOf(contender.script, cell, stop)
    const speed = (before + (await roundsNow())) / 2 / roundsPerMs
    const measured = JSON.parse(line) as Measured
    const figures = figuresOf(work, count, measured, speed)
    return { count, figures, settings: measured.settings ?? {} }
  } finally {
    await clear()
  }
}
