import { randomBytes } from 'node:crypto'
import pg from 'pg'

/** A database of a benchmark's own on somebody's server. */
export interface OwnDatabase {
  url: string
  drop(): Promise<void>
}

export async function createOwnDatabase(serverUrl: string): Promise<OwnDatabase> {
  const name = `heddle_bench_${randomBytes(4).toString('hex')}`
  const admin = new pg.Pool({ connectionString: serverUrl, max: 1 })
  await admin.query(`CREATE DATABASE ${name}`)
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return {
    url: url.href,
    async drop() {
      await admin.query(`DROP DATABASE ${name} WITH (FORCE)`)
      await admin.end()
    },
  }
}
