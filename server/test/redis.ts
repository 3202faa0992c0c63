import { randomUUID } from 'node:crypto'
import { connectRedis } from '../src/bus/connect.ts'
import { redisUrl } from './services.ts'

/** Key prefix of one test file. */
export const newPrefix = (): string => `heddle-test-${randomUUID()}:`

/** Deletes every key under the prefix, in or out of braces. */
export async function dropPrefix(prefix: string): Promise<void> {
  const redis = connectRedis(redisUrl, 'subscriber')
  const keys = [...(await redis.keys(`${prefix}*`)), ...(await redis.keys(`{${prefix}*`))]
  if (keys.length > 0) await redis.del(...keys)
  await redis.quit()
}
