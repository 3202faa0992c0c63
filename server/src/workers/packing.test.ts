import fc from 'fast-check'
import { expect, it } from 'vitest'
import { packOrder } from './packing.ts'

it('payloads arrive in a thread as they were given, whatever characters are in them, as text or bytes', () => {
  const payload = fc.jsonValue().map((value) => JSON.stringify(value))
  // Text of the database's own, that was never escaped.
  const raw = fc.constantFrom('"é"', '"日本"', '"\\ud800"', '"\\u0000"', '"😀"', '[]', ' { } ')
  fc.assert(
    fc.property(
      fc.array(fc.oneof(payload, raw), { minLength: 1 }),
      fc.nat(),
      (payloads, asBytes) => {
        const items = payloads.map((each, n) => ({
          ...{ jobId: `j${n}`, type: 'any', attempt: 1, timeoutMs: null },
          payload: (asBytes >> n) % 2 === 1 ? Buffer.from(each) : each,
        }))
        const packed = packOrder({ id: 1, width: 1, items })
        expect(JSON.parse(Buffer.from(packed.payloads).toString())).toEqual(
          payloads.map((each): unknown => JSON.parse(each)),
        )
      },
    ),
  )
})
