import { FAIR_WEIGHT, type Share } from '../../core/fair-share.ts'
import type { Builder } from './builder.ts'

/** What each fairness key has used, and its weight. */
export function addFairShares(builder: Builder): void {
  const fairShare = builder.objectRef<Share>('FairShare').implement({
    description: 'What the jobs of one fairness key have been given',
    fields: (t) => ({
      key: t.exposeString('key', { description: 'Empty for jobs without one' }),
      weight: t.exposeFloat('weight'),
      usedThreadMs: t.exposeFloat('usedThreadMs', {
        description: 'Thread time used of late: what lies an hour back counts half',
      }),
      share: t.exposeFloat('share', { description: 'Of what all keys have used of late' }),
      entitled: t.exposeFloat('entitled', {
        description: 'Its weight among those of the keys that have used something of late',
      }),
    }),
  })

  builder.queryFields((t) => ({
    fairShares: t.field({
      type: [fairShare],
      description: 'Fairness keys by what they have used of late, most first; at most 500',
      complexity: 20,
      resolve: (_root, _args, { scheduler }) => scheduler.fairShares.list(),
    }),
  }))
  builder.mutationFields((t) => ({
    setFairShare: t.field({
      type: fairShare,
      description: `Weighs the jobs of a key that are submitted from now on, from ${FAIR_WEIGHT.min} to ${FAIR_WEIGHT.max}; ${FAIR_WEIGHT.default} unless told`,
      args: { key: t.arg.string({ required: true }), weight: t.arg.float({ required: true }) },
      resolve: (_root, { key, weight }, { scheduler }) =>
        scheduler.fairShares.setWeight(key, weight),
    }),
  }))
}
