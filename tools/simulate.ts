/**
 * What if? Predicted waits and utilization with other workers, priorities or demands.
 *
 *   pnpm simulate trace.swf --workers 240                      a trace, on the scheduler itself
 *   pnpm simulate --workers 16,8 --priority report=5           the queue of a running server, now and so
 *   pnpm simulate --url https://… --key … --demand sum=4
 */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { simulate } from '../server/src/core/simulate.ts'
import { summarize } from '../server/src/core/summary.ts'
import { parseSwf, toSimulatedJob } from '../bench/traces/swf.ts'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    url: { type: 'string', default: 'http://127.0.0.1:8080' },
    key: { type: 'string' },
    workers: { type: 'string' },
    priority: { type: 'string', multiple: true, default: [] },
    demand: { type: 'string', multiple: true, default: [] },
  },
})

const threads = values.workers?.split(',').map(Number)
if (threads?.some((count) => !Number.isInteger(count) || count < 1)) {
  throw new Error('--workers wants threads for each, e.g. 16,8')
}
const workers = threads?.map((count, i) => ({ name: `worker-${i + 1}`, threads: count }))
/** 'type=5' → the type and 5 */
const changes = <Field extends string>(given: string[], field: Field) =>
  given.map((text) => {
    const [type = '', value] = text.split('=')
    if (type === '' || !Number.isInteger(Number(value ?? NaN))) {
      throw new Error(`${text}: wants a job type and a whole number, e.g. report=5`)
    }
    return { type, [field]: Number(value) }
  })

function simulateTrace(file: string): void {
  const trace = parseSwf(readFileSync(file, 'utf8'))
  const machine = workers ?? [{ name: 'worker-1', threads: trace.maxProcessors ?? Number.NaN }]
  const largest = Math.max(...machine.map((worker) => worker.threads))
  if (!(largest > 0)) throw new Error('the trace does not tell how large its machine is: --workers')
  const runs = simulate({
    jobs: trace.jobs.map((job) => toSimulatedJob(job, largest)),
    workers: machine,
    policy: { predictions: 'learnt', reservations: true },
  })
  print(
    summarize(
      runs,
      machine.reduce((sum, worker) => sum + worker.threads, 0),
    ),
  )
}

const query = `query ($input: SimulateInput) {
  simulate(input: $input) {
    jobs truncated complete guessed workers { name threads } utilization makespanMs
    waits { meanMs p50Ms p90Ms maxMs } byType { type jobs waits { meanMs p90Ms maxMs } }
  }
}`

async function ask(input: object): Promise<unknown> {
  const response = await fetch(new URL('/graphql', values.url), {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(values.key === undefined ? {} : { authorization: `Bearer ${values.key}` }),
    },
    body: JSON.stringify({ query, variables: { input } }),
  })
  const { data, errors } = (await response.json()) as {
    data?: { simulate: unknown }
    errors?: { message: string }[]
  }
  if (!data)
    throw new Error(errors?.map(({ message }) => message).join('\n') ?? response.statusText)
  return data.simulate
}

const print = (answer: unknown): void =>
  void process.stdout.write(`${JSON.stringify(answer, null, 2)}\n`)

const [file] = positionals
if (file) {
  simulateTrace(file)
} else {
  const change = {
    ...(workers ? { workers } : {}),
    priorities: changes(values.priority, 'priority'),
    demands: changes(values.demand, 'threadDemand'),
  }
  print({ now: await ask({}), then: await ask(change) })
}
