/** PostgreSQL and Redis of the benchmark's own, or those it is given: a database, a key prefix and a folder per cell. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import pg from 'pg'
import { closeRedis, connectRedis, type RedisClient } from '../../server/src/bus/connect.ts'
import { log } from '../../server/src/log.ts'
import { startPostgres, startRedis } from '../chaos/services.ts'
import type { Options } from './options.ts'

/** Where a cell keeps its jobs. */
export interface Ground {
  postgresUrl: string
  redisUrl: string
  prefix: string
  folder: string
  clear(): Promise<void>
}

export interface Services {
  postgres: pg.Pool
  redis: RedisClient
  ground(): Promise<Ground>
  stop(): Promise<void>
}

async function dropKeys(redis: RedisClient, prefix: string): Promise<void> {
  let cursor = '0'
  do {
    const [next, keys] = await redis.scan(cursor, 'MATCH', `${prefix}:*`, 'COUNT', 1000)
    if (keys.length > 0) await redis.unlink(...keys)
    cursor = next
  } while (cursor !== '0')
}

export async function startServices(options: Options): Promise<Services> {
  const ownPostgres = options.postgres === null ? await startPostgres() : null
  const ownRedis = options.redis === null ? await startRedis(options.redisFsync ?? undefined) : null
  const postgresUrl = options.postgres ?? ownPostgres?.url ?? ''
  const redisUrl = options.redis ?? ownRedis?.url ?? ''
  const postgres = new pg.Pool({ connectionString: postgresUrl, max: 1 })
  // A subscriber's connection waits for a server that is still starting, and would say so.
  log.level = 'error'
  const redis = connectRedis(redisUrl, 'subscriber')
  await redis.ping()

  return {
    postgres,
    redis,
    async ground() {
      const name = `heddle_bench_${randomBytes(4).toString('hex')}`
      await postgres.query(`CREATE DATABASE ${name}`)
      const url = new URL(postgresUrl)
      url.pathname = `/${name}`
      const folder = mkdtempSync(path.join(os.tmpdir(), 'heddle-bench-'))
      return {
        postgresUrl: url.href,
        redisUrl,
        prefix: name,
        folder,
        async clear() {
          await postgres.query(`DROP DATABASE ${name} WITH (FORCE)`)
          await dropKeys(redis, name)
          rmSync(folder, { recursive: true, force: true })
        },
      }
    },
    async stop() {
      await postgres.end()
      await closeRedis(redis)
      await ownRedis?.stop()
      await ownPostgres?.stop()
    },
  }
}
