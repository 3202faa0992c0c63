import { z } from 'zod'
import { HeddleError } from '../../core/errors.ts'
import { FAIR_WEIGHT } from '../../core/fair-share.ts'
import { toIssues } from '../../scheduler/submit-request.ts'

const message = `weight must be a number from ${FAIR_WEIGHT.min} to ${FAIR_WEIGHT.max}`

export const FairWeightBody = z.strictObject(
  { weight: z.number(message).min(FAIR_WEIGHT.min, message).max(FAIR_WEIGHT.max, message) },
  'must be a JSON object with a weight',
)

/** INVALID_ARGUMENT */
export function toWeight(body: unknown): number {
  const parsed = FairWeightBody.safeParse(body)
  if (parsed.success) return parsed.data.weight
  const issues = toIssues(parsed.error)
  throw new HeddleError('INVALID_ARGUMENT', issues[0]?.message ?? message, { issues })
}
