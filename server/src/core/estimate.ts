/**
 * How long a job will run, learnt from jobs like it that have finished (system-generated predictions:
 * Tsafrir, Etsion and Feitelson 2007): the mean of the latest ones, which says more than what submitters
 * think. On the trace in `bench/traces`, also run faster, slower and on other machines, the mean of
 * sixteen was better than that of two (the paper's) in the worst case, and than the median on the whole.
 *
 * Jobs are alike by type, width and size class; where none of that likeness is known, by type and width,
 * then by type. A submitter's hint (`expectedMs`) serves while nothing has been learnt, and where the hints
 * of the latest of its like were much closer than their mean: jobs of one kind may differ by what only their
 * submitter knows. The time limit bounds everything, and with none of it there is no prediction: null, never
 * a guess.
 */
export interface Likeness {
  type: string
  /** threads it runs on */
  width: number
  /** jobs of one class have inputs of about the same size: see `sizeClass` */
  sizeClass?: number | undefined
}

export interface Expected extends Likeness {
  /** what the submitter thinks, ms */
  expectedMs?: number | null
  /** no attempt runs longer, ms */
  timeoutMs?: number | null
}

/** A queued or running job as the estimator wants it. */
export const asExpected = (job: Omit<Expected, 'width'>, width: number): Expected => ({
  // Named one by one: this runs for every job a plan looks at, and a spread costs five times as much.
  type: job.type,
  width,
  sizeClass: job.sizeClass,
  expectedMs: job.expectedMs ?? null,
  timeoutMs: job.timeoutMs ?? null,
})

export interface Estimator {
  /** a job has ended by itself after `runMs` */
  learn(run: Expected, runMs: number): void
  /** expected run time in ms; null where nothing is known */
  runMs(job: Expected): number | null
  /**
   * The same on a number of threads that may never have been tried, by the type's speed-up: measured on
   * two widths or more, it is the best fit of a fixed part and one that threads share (Amdahl 1967);
   * measured on one, the worst it can be. null where nothing has been measured
   */
  runMsOn(job: Expected): number | null
  /** when a job that runs since `startedAt` is expected to end, corrected once it has outrun its prediction */
  endAt(job: Expected, startedAt: number, now: number): number | null
  /** the latest run times of its like, oldest first */
  samples(job: Likeness): readonly number[]
  /** how wrong the latest predictions were, whatever the job: real over expected run time */
  errors(): readonly number[]
}

/** Run times remembered per likeness. */
const KEPT = 16
/**
 * Hints are gone by where, of the latest four at least, they were this many times as close as the mean. On the
 * trace in `bench/traces`, where people ask for far too much, that changes nothing; once as close made waits
 * on three workers worse by a third.
 */
const HINT_CLOSER = 2
const LEAST_HINTS = 4
/** Predictions remembered for their errors: enough that one in ten is well known. */
const ERRORS_KEPT = 500
/** A job that has outrun all that is known is expected to take half as long again. */
const OVERRUN = 1.5
/** Likenesses remembered; the ones unused for longest are forgotten. */
const MAX_KINDS = 10_000

/** 0 for nothing, then one more with each doubling. */
export const sizeClass = (size: number): number => Math.ceil(Math.log2(size + 1))

/** The most that a payload of a job's class can have. */
export const mostBytes = ({ sizeClass: each = 0 }: { sizeClass?: number }): number => 2 ** each

interface Kind {
  /** oldest first */
  times: number[]
  mean: number
  /** of the latest that had a hint: how far off the mean was, less `HINT_CLOSER` times the hint, ms; oldest first */
  hintGains: number[]
  /** hints are much closer than the mean */
  trustsHints: boolean
  /** of all that was learnt by then: the larger, the later */
  learntAt: number
}

/**
 * Kinds by type, by width, by size class. Maps in maps, for one with composed keys would make a text of
 * every job a plan looks at.
 */
interface WidthKinds {
  any: Kind | null
  sizes: Map<number, Kind>
}
interface TypeKinds {
  any: Kind | null
  widths: Map<number, WidthKinds>
}

export function createEstimator(): Estimator {
  const types = new Map<string, TypeKinds>()
  let kinds = 0
  let learnt = 0

  const learnOne = (kind: Kind | null | undefined, ms: number, hint: number | null): Kind => {
    if (!kind) {
      kinds += 1
      return { times: [ms], mean: ms, hintGains: [], trustsHints: false, learntAt: learnt }
    }
    if (hint !== null) {
      keepLatest(kind.hintGains, Math.abs(kind.mean - ms) - HINT_CLOSER * Math.abs(hint - ms))
      kind.trustsHints = kind.hintGains.length >= LEAST_HINTS && mean(kind.hintGains) > 0
    }
    keepLatest(kind.times, ms)
    kind.mean = mean(kind.times)
    kind.learntAt = learnt
    return kind
  }

  const learnTimes = ({ type, width, sizeClass: size, expectedMs }: Expected, ms: number): void => {
    learnt += 1
    const hint = expectedMs ?? null
    const ofType = types.get(type) ?? { any: null, widths: new Map<number, WidthKinds>() }
    types.set(type, ofType)
    const ofWidth = ofType.widths.get(width) ?? { any: null, sizes: new Map<number, Kind>() }
    ofType.widths.set(width, ofWidth)
    ofType.any = learnOne(ofType.any, ms, hint)
    ofWidth.any = learnOne(ofWidth.any, ms, hint)
    if (size !== undefined) ofWidth.sizes.set(size, learnOne(ofWidth.sizes.get(size), ms, hint))
    if (kinds > MAX_KINDS) kinds = forgetOlder(types)
  }

  /** mean run time by width */
  const curveOf = ({ type, sizeClass: size }: Likeness): [width: number, ms: number][] =>
    [...(types.get(type)?.widths ?? [])].flatMap(([width, { any, sizes }]) => {
      const kind = (size === undefined ? undefined : sizes.get(size)) ?? any
      return kind ? [[width, kind.mean]] : []
    })

  const kindOf = ({ type, width, sizeClass: size }: Likeness): Kind | null => {
    const ofType = types.get(type)
    if (!ofType) return null
    const ofWidth = ofType.widths.get(width)
    if (!ofWidth) return ofType.any
    return (size === undefined ? undefined : ofWidth.sizes.get(size)) ?? ofWidth.any ?? ofType.any
  }

  const runMs = (job: Expected): number | null => {
    const kind = kindOf(job)
    const hint = job.expectedMs ?? null
    const expected = kind && !(kind.trustsHints && hint !== null) ? kind.mean : hint
    return expected === null ? null : Math.min(expected, job.timeoutMs ?? Infinity)
  }

  const errors: number[] = []
  let nextError = 0
  const learnError = (expectedMs: number | null, ms: number): void => {
    if (expectedMs === null || expectedMs <= 0) return
    errors[nextError] = ms / expectedMs
    nextError = (nextError + 1) % ERRORS_KEPT
  }

  return {
    learn(run, ms) {
      learnError(runMs(run), ms)
      learnTimes(run, ms)
    },
    runMs,
    runMsOn(job) {
      const expected = onCurve(curveOf(job), job.width)
      return expected === null ? null : Math.min(expected, job.timeoutMs ?? Infinity)
    },
    endAt(job, startedAt, now) {
      const expected = runMs(job)
      if (expected === null) return null
      const elapsed = now - startedAt
      if (expected > elapsed) return startedAt + expected
      const longer = kindOf(job)?.times.filter((ms) => ms > elapsed) ?? []
      const corrected = longer.length > 0 ? mean(longer) : elapsed * OVERRUN
      return startedAt + Math.min(corrected, job.timeoutMs ?? Infinity)
    },
    samples: (job) => [...(kindOf(job)?.times ?? [])],
    errors: () => errors,
  }
}

/** Drops the half that was learnt longest ago; tells how many are left. */
function forgetOlder(types: Map<string, TypeKinds>): number {
  const all = [...types.values()].flatMap(({ any, widths }) => [
    ...(any ? [any] : []),
    ...[...widths.values()].flatMap((ofWidth) => [
      ...(ofWidth.any ? [ofWidth.any] : []),
      ...ofWidth.sizes.values(),
    ]),
  ])
  const ages = all.map(({ learntAt }) => learntAt).sort((a, b) => a - b)
  const oldest = ages[ages.length >> 1] ?? 0
  const isKept = (kind: Kind | null): boolean => kind !== null && kind.learntAt >= oldest
  for (const [type, ofType] of types) {
    for (const [width, ofWidth] of ofType.widths) {
      for (const [size, kind] of ofWidth.sizes) if (!isKept(kind)) ofWidth.sizes.delete(size)
      // What is learnt of a size is learnt of its width and its type too, so nothing below is younger.
      if (!isKept(ofWidth.any)) ofType.widths.delete(width)
    }
    if (!isKept(ofType.any)) types.delete(type)
  }
  return all.filter(isKept).length
}

function onCurve(points: readonly [width: number, ms: number][], width: number): number | null {
  const measured = points.find(([tried]) => tried === width)
  const [first] = points
  if (measured || !first) return measured?.[1] ?? null
  if (points.length === 1) return first[1] * Math.max(1, first[0] / width)
  // Least squares of ms = fixed + shared / width, neither below zero.
  const x = points.map(([tried]) => 1 / tried)
  const y = points.map(([, ms]) => ms)
  const [meanX, meanY] = [mean(x), mean(y)]
  const variance = mean(x.map((each) => (each - meanX) ** 2))
  const slope = mean(x.map((each, i) => (each - meanX) * ((y[i] ?? 0) - meanY))) / variance
  const shared = Math.max(0, Math.min(slope, meanY / meanX))
  return meanY - shared * meanX + shared / width
}

function keepLatest(list: number[], value: number): void {
  list.push(value)
  if (list.length > KEPT) list.shift()
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length
