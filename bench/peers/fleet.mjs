/**
 * The worker processes of a peer: it runs jobs in its own process, so that one process uses one core, and
 * its documentation has more processes for more cores.
 */
import { fork } from 'node:child_process'
import path from 'node:path'

/**
 * Resolves when every process is up and connected. None has taken a job by then.
 *
 * @param {import('../compare/workload.mjs').Cell} cell
 * @param {number} processes
 */
export async function startFleet(cell, processes) {
  const script = path.join(import.meta.dirname, 'member.mjs')
  const members = Array.from({ length: processes }, () => fork(script, [JSON.stringify(cell)]))
  // A member whose driver is gone would wait for ever.
  process.once('exit', () => members.forEach((member) => member.kill('SIGKILL')))
  await Promise.all(
    members.map(
      (member) =>
        new Promise((resolve, reject) => {
          member.once('message', resolve)
          member.once('exit', (code) => reject(new Error(`a worker process ended with ${code}`)))
        }),
    ),
  )
  return {
    /** Lets all go, and resolves when `count` jobs have ended. @param {number} count */
    run: (count) =>
      new Promise((resolve, reject) => {
        const reports = new Map()
        for (const member of members) {
          member.once('exit', (code) => reject(new Error(`a worker process ended with ${code}`)))
          member.on('message', (report) => {
            reports.set(member, report)
            const all = [...reports.values()]
            const done = all.reduce((sum, each) => sum + each.done, 0)
            if (done > count) reject(new Error(`${done} jobs ended, of ${count}`))
            if (done < count) return
            resolve({
              startedAt: Math.min(...all.map(({ startedAt }) => startedAt)),
              lastAt: Math.max(...all.map(({ lastAt }) => lastAt ?? 0)),
            })
          })
        }
        for (const member of members) member.send('go')
      }),
    end() {
      for (const member of members) {
        member.removeAllListeners('exit')
        member.kill('SIGKILL')
      }
    },
  }
}
