import fc from 'fast-check'
import { expect, it } from 'vitest'
import { packOrder } from './packing.ts'

it('payloads arrive in a thread as they were given, whatever characters are in them, short or long', () => {
  const payload = fc.jsonValue().map((value) => JSON.stringify(value))
  // Text of the database's own, that was never escaped.
  const raw = fc.constantFrom('"é"', '"日本"', '"\\ud800"', '"\\u0000"', '"😀"', '[]', ' { } ')
  const long = raw.map((each) => `[${Array.from({ length: 500 }, () => each).join()}]`)
  fc.assert(
    fc.property(fc.array(fc.oneof(payload, raw, long), { minLength: 1 }), (payloads) => {
      const items = payloads.map((each, n) => ({
        ...{ jobId: `j${n}`, type: 'any', attempt: 1, timeoutMs: null },
        payload: each,
      }))
      const packed = packOrder({ id: 1, width: 1, items })
      expect(JSON.parse(Buffer.from(packed.payloads).toString())).toEqual(
        payloads.map((each): unknown => JSON.parse(each)),
      )
    }),
  )
})
