import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Failure } from './packing.ts'
import { readUnsent, UNSENT_BYTES, UnsentAnswers } from './unsent-answers.js'

const share = () => {
  const memory = new SharedArrayBuffer(UNSENT_BYTES)
  return { memory, unsent: new UnsentAnswers(memory) }
}
const failure: Failure = { ok: false, error: { name: 'Error', message: 'nein: ñ' }, final: true }

describe('answers that a thread has not sent', () => {
  it('are read as they were given', () => {
    const answer = fc.oneof(fc.json(), fc.string({ unit: 'grapheme' }), fc.constant(failure))
    const time = fc.double({ noNaN: true })
    const all = fc.array(fc.tuple(answer, time, time), { maxLength: 50 })
    fc.assert(
      fc.property(all, fc.nat(1000), (given, from) => {
        const { memory, unsent } = share()
        unsent.begin(7, from)
        for (const each of given) expect(unsent.add(...each)).toBe(true)
        expect(readUnsent(memory, 7)).toEqual({
          from,
          answers: given.map(([text]) => text),
          times: given.flatMap(([, startedAt, finishedAt]) => [startedAt, finishedAt]),
        })
      }),
      { numRuns: 50 },
    )
  })

  it('are of one run, and none once it is begun anew', () => {
    const { memory, unsent } = share()
    expect(readUnsent(memory, 7)).toBeNull()
    unsent.begin(7, 0)
    unsent.add('1', 1, 2)
    expect(readUnsent(memory, 8)).toBeNull()
    unsent.begin(7, 1)
    expect(readUnsent(memory, 7)).toEqual({ from: 1, answers: [], times: [] })
    unsent.begin(8, 0)
    expect(readUnsent(memory, 7)).toBeNull()
  })

  it('are as many as there is room for: one too many is told, and changes nothing', () => {
    const { memory, unsent } = share()
    unsent.begin(7, 0)
    // Each takes three bytes, which its length does not tell.
    const third = '€'.repeat(UNSENT_BYTES / 8)
    expect(unsent.add(third, 1, 2)).toBe(true)
    expect(unsent.add(third, 2, 3)).toBe(true)
    expect(unsent.add(third, 3, 4)).toBe(false)
    expect(readUnsent(memory, 7)?.answers).toEqual([third, third])
    unsent.begin(7, 3)
    expect(unsent.add(third, 4, 5)).toBe(true)
  })
})
