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

function processes(): Map<number, Stat> {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return new Map(
    pids.flatMap((pid) => {
      const stat = statOf(pid)
      return stat ? [[Number(pid), stat] as const] : []
    }),
  )
}

export interface CpuTimes {
  /** this process, ms */
  own: number
  /** its children: the worker processes */
  workers: number
  /** all PostgreSQL processes of the machine */
  postgres: number
}

export function cpuTimes(): CpuTimes | null {
  if (process.platform !== 'linux') return null
  const { user, system } = process.cpuUsage()
  const all = [...processes().values()]
  return {
    own: (user + system) / 1000,
    workers: sum(all.filter(({ parent }) => parent === process.pid).map(({ ms }) => ms)),
    postgres: sum(all.filter(({ name }) => name === 'postgres').map(({ ms }) => ms)),
  }
}
