import { HeddleError } from '../../core/errors.ts'
import { PRIORITY, THREAD_DEMAND } from '../../core/job.ts'
import type { Forecast, Waits } from '../../core/what-if.ts'
import { WHAT_IF, type WhatIfAnswer } from '../../scheduler/what-if.ts'
import type { Builder } from './builder.ts'

/** A simulation works for seconds: a query may ask for a few, to compare them. */
const COST = 10_000
/** in one list of the input */
const MAX_ITEMS = 1000

/** What would become of the queue if the workers, priorities or demands were others. */
export function addSimulate(builder: Builder): void {
  const input = addInput(builder)
  const simulation = addSimulation(builder)
  builder.queryFields((t) => ({
    simulate: t.field({
      type: simulation,
      complexity: COST,
      description:
        'Predicted waits of the present queue, as it is or with changes. Nothing is changed; nothing new arrives; each job runs as long as is expected of it',
      args: { input: t.arg({ type: input }) },
      resolve: (_root, args, { scheduler }) => {
        const { workers, priorities, demands, limit, unknownMs } = args.input ?? {}
        check(['limit'], limit, WHAT_IF.jobs)
        check(['unknownMs'], unknownMs, { min: 1, max: 1e12 })
        checkLength('priorities', priorities)
        checkLength('demands', demands)
        return scheduler.whatIf({
          ...(workers ? { workers: toWorkers(workers) } : {}),
          priorities: (priorities ?? []).map((given, index) => {
            check(['priorities', index, 'priority'], given.priority, PRIORITY)
            return { ...whom(given, ['priorities', index]), priority: given.priority }
          }),
          demands: (demands ?? []).map((given, index) => {
            check(['demands', index, 'threadDemand'], given.threadDemand, THREAD_DEMAND)
            return { ...whom(given, ['demands', index]), threadDemand: given.threadDemand }
          }),
          limit: limit ?? WHAT_IF.jobs.default,
          unknownMs: unknownMs ?? WHAT_IF.unknownMs,
        })
      },
    }),
  }))
}

function addInput(builder: Builder) {
  const worker = builder.inputType('SimulatedWorkerInput', {
    fields: (t) => ({
      name: t.string({ required: true }),
      threads: t.int({ required: true }),
    }),
  })
  const priority = builder.inputType('SimulatedPriorityInput', {
    description: 'Of all jobs of a type, or of one job',
    fields: (t) => ({ type: t.string(), jobId: t.id(), priority: t.int({ required: true }) }),
  })
  const demand = builder.inputType('SimulatedDemandInput', {
    description: 'Of all jobs of a type, or of one job',
    fields: (t) => ({ type: t.string(), jobId: t.id(), threadDemand: t.int({ required: true }) }),
  })
  return builder.inputType('SimulateInput', {
    fields: (t) => ({
      workers: t.field({ type: [worker], description: 'In place of those of the cluster' }),
      priorities: t.field({ type: [priority] }),
      demands: t.field({ type: [demand] }),
      limit: t.int({
        description: `How many jobs, the next in order; ${WHAT_IF.jobs.default} unless told, at most ${WHAT_IF.jobs.max}`,
      }),
      unknownMs: t.float({
        description: `Run time to assume where nothing is known; ${WHAT_IF.unknownMs} unless told`,
      }),
    }),
  })
}

function addSimulation(builder: Builder) {
  const waits = builder.objectRef<Waits>('SimulatedWaits').implement({
    description: 'From now to the start',
    fields: (t) => ({
      meanMs: t.exposeFloat('meanMs'),
      p50Ms: t.exposeFloat('p50Ms'),
      p90Ms: t.exposeFloat('p90Ms'),
      maxMs: t.exposeFloat('maxMs'),
    }),
  })
  const ofType = builder.objectRef<Forecast['byType'][number]>('SimulationOfType').implement({
    fields: (t) => ({
      type: t.exposeString('type'),
      jobs: t.exposeInt('jobs'),
      waits: t.field({ type: waits, resolve: (parent) => parent }),
    }),
  })
  const worker = builder.objectRef<WhatIfAnswer['workers'][number]>('SimulatedWorker').implement({
    fields: (t) => ({ name: t.exposeString('name'), threads: t.exposeInt('threads') }),
  })
  return builder.objectRef<WhatIfAnswer>('Simulation').implement({
    fields: (t) => ({
      jobs: t.exposeInt('jobs', { description: 'Jobs that were simulated until their start' }),
      truncated: t.exposeBoolean('truncated', {
        description: 'Whether there are more queued jobs than were simulated',
      }),
      complete: t.exposeBoolean('complete', {
        description: 'False where time ran out before every job had started',
      }),
      guessed: t.exposeInt('guessed', {
        description: 'Jobs of whose run time nothing is known: unknownMs was assumed',
      }),
      workers: t.field({ type: [worker], resolve: (parent) => [...parent.workers] }),
      waits: t.field({ type: waits, resolve: (parent) => parent.waits }),
      byType: t.field({ type: [ofType], resolve: (parent) => parent.byType }),
      utilization: t.exposeFloat('utilization', {
        description: 'Threads in use over threads there are, until the last start',
      }),
      makespanMs: t.exposeFloat('makespanMs', { description: 'Until the last job has ended' }),
    }),
  })
}

type Range = { min: number; max: number }

type Path = (string | number)[]

function check(path: Path, value: number | null | undefined, { min, max }: Range): void {
  if (value === null || value === undefined || (value >= min && value <= max)) return
  refuse(path, `must be from ${min} to ${max}`)
}

function checkLength(name: string, list: readonly unknown[] | null | undefined): void {
  if (list && list.length > MAX_ITEMS) refuse([name], `must be at most ${MAX_ITEMS}`)
}

function refuse(path: Path, message: string): never {
  const argument = ['input', ...path]
  throw new HeddleError('INVALID_ARGUMENT', `${argument.join('.')} ${message}`, {
    issues: [{ path: argument, message }],
  })
}

function toWorkers(workers: readonly { name: string; threads: number }[]) {
  checkLength('workers', workers)
  if (new Set(workers.map(({ name }) => name)).size < workers.length) {
    refuse(['workers'], 'must have a name each of its own')
  }
  for (const [index, { threads }] of workers.entries()) {
    check(['workers', index, 'threads'], threads, THREAD_DEMAND)
  }
  return workers
}

interface Whom {
  type?: string | null | undefined
  jobId?: string | null | undefined
}

/** Each change is about a type or about one job. INVALID_ARGUMENT */
function whom({ type, jobId }: Whom, path: Path): { type: string } | { jobId: string } {
  if (typeof type === 'string' && typeof jobId !== 'string') return { type }
  if (typeof jobId === 'string' && typeof type !== 'string') return { jobId }
  return refuse(path, 'must name either a type or a job')
}
