import type { CalibrationFigures } from '../../core/calibration.ts'
import type { Decision } from '../../core/decision-log.ts'
import type { StartReason } from '../../core/plan.ts'
import { date, dateOrNull, describe, pageSize, type Builder } from './builder.ts'

/** What the node that answers has decided, and how right it was in what it said before. */
export function addDecisions(builder: Builder): void {
  const decision = addDecision(builder)
  const calibration = addCalibration(builder)
  builder.queryFields((t) => ({
    decisions: t.field({
      type: [decision],
      description:
        'Placements, reservations and backfills of the node that answers, newest first; it remembers ten thousand',
      args: { first: t.arg.int(), jobId: t.arg.id() },
      complexity: ({ first }) => ({ field: 50, multiplier: pageSize(first) }),
      resolve: (_root, { first, jobId }, { scheduler }) =>
        scheduler.insight.decisions({
          limit: pageSize(first),
          ...(jobId === null || jobId === undefined ? {} : { jobId }),
        }),
    }),
    calibration: t.field({
      type: calibration,
      description: 'How right the expected starts were that this node has told',
      resolve: (_root, _args, { scheduler }) => scheduler.insight.calibration(),
    }),
  }))
}

function addDecision(builder: Builder) {
  const kind = builder.enumType('DecisionKind', {
    values: describe<Decision['kind']>({
      START: 'The job was started',
      RESERVE: 'The job is next in order and was promised a worker',
    }),
  })
  const reason = builder.enumType('StartReason', {
    values: describe<StartReason>({
      IN_ORDER: 'It was its turn',
      OTHER_WORKER: 'Backfill: on a worker that is not reserved',
      ENDS_BEFORE_RESERVATION: 'Backfill: expected to end before the reservation starts',
      SPARE_THREADS: 'Backfill: on threads that the reservation leaves over',
      SAME_THREADS: 'Right behind a job of as many threads, ahead of jobs of fewer',
    }),
  })
  return builder.objectRef<Decision>('Decision').implement({
    fields: (t) => ({
      at: t.field({ type: 'DateTime', resolve: ({ at }) => date(at) }),
      kind: t.field({ type: kind, resolve: (parent) => parent.kind }),
      jobId: t.exposeID('jobId'),
      workerName: t.exposeString('workerName'),
      width: t.exposeInt('width', { description: 'Threads' }),
      reason: t.field({
        type: reason,
        nullable: true,
        description: 'Of a start',
        resolve: (parent) => (parent.kind === 'START' ? parent.reason : null),
      }),
      startAt: t.field({
        type: 'DateTime',
        nullable: true,
        description: 'Of a reservation: when it is expected to start; null where that is not known',
        resolve: (parent) => (parent.kind === 'RESERVE' ? dateOrNull(parent.startAt) : null),
      }),
    }),
  })
}

const addCalibration = (builder: Builder) =>
  builder.objectRef<CalibrationFigures>('Calibration').implement({
    description: 'Of the latest expected starts, at most a thousand, whose jobs have started',
    fields: (t) => ({
      count: t.exposeInt('count'),
      byP50: t.exposeFloat('byP50', {
        nullable: true,
        description: 'Share that started by p50; 0.5 would be perfect',
      }),
      byP90: t.exposeFloat('byP90', {
        nullable: true,
        description: 'Share that started by p90; 0.9 would be perfect',
      }),
      medianErrorMs: t.exposeFloat('medianErrorMs', { nullable: true }),
      medianError: t.exposeFloat('medianError', {
        nullable: true,
        description: 'The same as a share of the wait that was expected',
      }),
    }),
  })
