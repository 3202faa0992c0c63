import { parseArgs } from 'node:util'
import { contenders, type Contender } from './contenders.ts'
import { worksFor, type Work } from './works.ts'

const FSYNC = ['always', 'everysec', 'no'] as const

export interface Options {
  rounds: number
  contenders: Contender[]
  works: Work[]
  /** a tenth of the jobs: figures to see that it works, not to quote */
  quick: boolean
  postgres: string | null
  redis: string | null
  /** how often a Redis of our own writes to disk; null: never */
  redisFsync: (typeof FSYNC)[number] | null
  json: string | null
}

const namesOf = (list: string | undefined): string[] | null =>
  list === undefined ? null : list.split(',').map((name) => name.trim())

/** `bullmq` means all that begin so. */
function chosenContenders(only: string | undefined): Contender[] {
  const names = namesOf(only)
  if (!names) return contenders
  for (const name of names) {
    if (contenders.some((contender) => contender.name.startsWith(name))) continue
    throw new Error(
      `--only ${name}: there are ${contenders.map((contender) => contender.name).join(', ')}`,
    )
  }
  return contenders.filter(({ name }) => names.some((prefix) => name.startsWith(prefix)))
}

function chosenWorks(cores: number, list: string | undefined): Work[] {
  const all = worksFor(cores)
  const names = namesOf(list)
  if (!names) return all
  const unknown = names.find((name) => !all.some((work) => work.name === name))
  if (unknown !== undefined) {
    throw new Error(`--work ${unknown}: there are ${all.map(({ name }) => name).join(', ')}`)
  }
  return all.filter(({ name }) => names.includes(name))
}

export function readOptions(args: string[], cores: number): Options {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string' },
      only: { type: 'string' },
      work: { type: 'string' },
      quick: { type: 'boolean', default: false },
      postgres: { type: 'string' },
      redis: { type: 'string' },
      'redis-fsync': { type: 'string' },
      json: { type: 'string' },
    },
  })
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 3))
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds: a whole number from 1')
  const given = values['redis-fsync']
  const redisFsync = FSYNC.find((each) => each === given) ?? null
  if (given !== undefined && redisFsync === null) {
    throw new Error(`--redis-fsync ${given}: one of ${FSYNC.join(', ')}`)
  }
  return {
    rounds,
    contenders: chosenContenders(values.only),
    works: chosenWorks(cores, values.work),
    quick: values.quick,
    postgres: values.postgres ?? null,
    redis: values.redis ?? null,
    redisFsync,
    json: values.json ?? null,
  }
}
