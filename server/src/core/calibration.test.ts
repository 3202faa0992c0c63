import { describe, expect, it } from 'vitest'
import { createCalibration, type Told } from './calibration.ts'

/** Told as it was simulated. */
const told = (at: number, p50: number, p90: number): Told => ({
  ...{ p50, p90, at },
  simulated: { p50, p90 },
})

describe('calibration', () => {
  it('tells how often a job started by the time told, and how far off that was', () => {
    const calibration = createCalibration()
    const estimate = told(1000, 1100, 1200)
    for (const startedAt of [1050, 1100, 1150, 1300]) calibration.record(estimate, startedAt)
    expect(calibration.figures()).toEqual({
      count: 4,
      byP50: 0.5,
      byP90: 0.75,
      medianErrorMs: 50,
      medianError: 0.5,
    })
  })

  it('says nothing of nothing', () => {
    expect(createCalibration().figures()).toEqual({
      count: 0,
      byP50: null,
      byP90: null,
      medianErrorMs: null,
      medianError: null,
    })
  })

  it('goes by the latest ones', () => {
    const calibration = createCalibration(2)
    for (const startedAt of [500, 100, 100]) calibration.record(told(0, 100, 100), startedAt)
    expect(calibration.figures()).toMatchObject({ count: 2, byP50: 1, medianErrorMs: 0 })
  })

  it('tells what was simulated until it has learnt how wrong that is', () => {
    const calibration = createCalibration()
    for (let i = 0; i < 19; i += 1) calibration.record(told(0, 100, 200), 400)
    const simulated = { p50: 1100, p90: 1200 }
    expect(calibration.correct(simulated, 1000)).toEqual({ ...simulated, at: 1000, simulated })
  })

  it('stretches by what waits have been longer than simulated, of late', () => {
    const calibration = createCalibration()
    for (let i = 0; i < 500; i += 1) calibration.record(told(0, 100, 200), 10)
    // Half of them take twice the p50, and one in ten more than three times the p90.
    for (let i = 0; i < 200; i += 1) calibration.record(told(0, 100, 200), i < 100 ? 200 : 600)
    const simulated = { p50: 1100, p90: 1200 }
    expect(calibration.correct(simulated, 1000)).toMatchObject({ p50: 1200, p90: 1600, simulated })
  })

  it('comes right where simulations are too hopeful by a steady factor', () => {
    const calibration = createCalibration()
    for (let i = 0; i < 1000; i += 1) {
      const wait = 1000 + ((i * 617) % 1000)
      calibration.record(calibration.correct({ p50: i + 100, p90: i + 120 }, i), i + wait)
    }
    const { byP50, byP90 } = calibration.figures()
    expect(byP50).toBeCloseTo(0.5, 1)
    expect(byP90).toBeCloseTo(0.9, 1)
  })
})
