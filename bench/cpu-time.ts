/**
 * CPU time of processes, which unlike the clock does not count what else a shared machine did meanwhile.
 * Linux only: null elsewhere.
 */
import { readdirSync, readFileSync } from 'node:fs'

/** `sysconf(_SC_CLK_TCK)`, 100 on every Linux that Node runs on. */
const MS_PER_TICK = 10

interface Stat {
  name: string
  parent: number
  /** user and system time of all its threads, ended ones included */
  ms: number
}

function statOf(pid: string): Stat | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name may hold spaces and brackets; what follows the last bracket does not.
    const [, ...fields] = text.slice(text.lastIndexOf(')') + 1).split(' ')
    const name = text.slice(text.indexOf('(') + 1, text.lastIndexOf(')'))
    return { name, parent: Number(fields[1]), ms: sum([fields[11], fields[12]]) * MS_PER_TICK }
  } catch {
    return null
  }
}

const sum = (values: (string | number | undefined)[]): number =>
  values.reduce((total: number, value) => total + Number(value ?? 0), 0)

const processes = (): Stat[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => statOf(pid) ?? [])

/** ms */
export interface CpuTimes {
  /** of this process */
  own: number
  /** of its children: the worker processes */
  workers: number
  /** of all PostgreSQL processes of the machine */
  postgres: number
}

function others(): Omit<CpuTimes, 'own'> {
  const all = processes()
  return {
    workers: sum(all.filter(({ parent }) => parent === process.pid).map(({ ms }) => ms)),
    postgres: sum(all.filter(({ name }) => name === 'postgres').map(({ ms }) => ms)),
  }
}

/** Begins to measure; the answer tells what was used since. To look takes time too, which is not counted. */
export function measureCpu(): () => CpuTimes | null {
  if (process.platform !== 'linux') return () => null
  const before = others()
  const ownBefore = process.cpuUsage()
  return () => {
    const { user, system } = process.cpuUsage(ownBefore)
    const after = others()
    return {
      own: (user + system) / 1000,
      workers: after.workers - before.workers,
      postgres: after.postgres - before.postgres,
    }
  }
}
