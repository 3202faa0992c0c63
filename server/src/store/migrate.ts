import { createHash, randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type pg from 'pg'
import { toError } from '../core/errors.ts'
import { log } from '../log.ts'
import { StoreOpenError } from './open-error.ts'

/** The advisory lock of `prisma migrate`: neither it nor another node of ours migrates at the same time. */
const LOCK = 72_707_369
const MIGRATIONS = path.resolve(import.meta.dirname, '../../../prisma/migrations')

/**
 * Applies prisma/migrations as `prisma migrate deploy` does and keeps its table, so that either can follow
 * the other. Safe when many processes start at once. Throws StoreOpenError.
 */
export async function migrate(client: pg.ClientBase, folder = MIGRATIONS): Promise<string[]> {
  const scripts = readScripts(folder)
  await client.query('SELECT pg_advisory_lock($1)', [LOCK])
  try {
    const done = await appliedBefore(client)
    refuseNewer(done, scripts)
    const applied: string[] = []
    for (const script of scripts) {
      const checksum = done.get(script.name)
      if (checksum === undefined) {
        await apply(client, script)
        applied.push(script.name)
      } else if (checksum !== script.checksum) {
        log.warn({ migration: script.name }, 'a migration was edited after it was applied')
      }
    }
    return applied
  } finally {
    await client.query('SELECT pg_advisory_unlock($1)', [LOCK]).catch(() => {})
  }
}

interface Script {
  name: string
  sql: string
  checksum: string
}

function readScripts(folder: string): Script[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => {
      const sql = readFileSync(path.join(folder, name, 'migration.sql'), 'utf8')
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') }
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** name → checksum */
async function appliedBefore(client: pg.ClientBase): Promise<Map<string, string>> {
  await client.query(`CREATE TABLE IF NOT EXISTS _prisma_migrations (
    id varchar(36) PRIMARY KEY NOT NULL,
    checksum varchar(64) NOT NULL,
    finished_at timestamptz,
    migration_name varchar(255) NOT NULL,
    logs text,
    rolled_back_at timestamptz,
    started_at timestamptz NOT NULL DEFAULT now(),
    applied_steps_count integer NOT NULL DEFAULT 0
  )`)
  const { rows } = await client.query<{ name: string; checksum: string; failed: boolean }>(
    `SELECT migration_name AS name, checksum, finished_at IS NULL AS failed
     FROM _prisma_migrations WHERE rolled_back_at IS NULL`,
  )
  const failed = rows.find((row) => row.failed)
  if (failed) {
    throw new StoreOpenError(
      `Migration ${failed.name} failed earlier. Mend the database, then say so with ` +
        `\`prisma migrate resolve --rolled-back ${failed.name}\`.`,
    )
  }
  return new Map(rows.map(({ name, checksum }) => [name, checksum]))
}

function refuseNewer(done: Map<string, string>, scripts: Script[]): void {
  const unknown = [...done.keys()].filter((name) => !scripts.some((script) => script.name === name))
  if (unknown.length === 0) return
  throw new StoreOpenError(
    `The database was used by a newer version, which made changes that this one does not know ` +
      `(${unknown.join(', ')}). Start that version, or use another database.`,
  )
}

async function apply(client: pg.ClientBase, { name, sql, checksum }: Script): Promise<void> {
  const id = randomUUID()
  await client.query(
    'INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ($1, $2, $3)',
    [id, checksum, name],
  )
  try {
    await client.query('BEGIN')
    await client.query(sql)
    await client.query(
      'UPDATE _prisma_migrations SET finished_at = now(), applied_steps_count = 1 WHERE id = $1',
      [id],
    )
    await client.query('COMMIT')
  } catch (thrown) {
    const cause = toError(thrown)
    await client.query('ROLLBACK')
    await client.query('UPDATE _prisma_migrations SET logs = $2 WHERE id = $1', [id, cause.message])
    throw new StoreOpenError(`Migration ${name} failed: ${cause.message}`, { cause })
  }
  log.info({ migration: name }, 'applied a migration')
}
