import { describe, expect, it } from 'vitest'
import { ConfigError, readConfig } from './config.ts'

describe('configuration', () => {
  it('runs with nothing set: two workers, the embedded database, loopback, no key', () => {
    expect(readConfig({})).toMatchObject({
      port: 8080,
      host: '127.0.0.1',
      databaseUrl: null,
      redisUrl: null,
      apiKeys: null,
      workers: [
        { name: 'worker-1', threads: 4 },
        { name: 'worker-2', threads: 8 },
      ],
      roles: ['api', 'worker'],
    })
  })

  it('takes any number of workers, in order of their numbers, and leaves out those of no threads', () => {
    const { workers } = readConfig({
      WORKER_10_THREADS: '1',
      WORKER_3_THREADS: '2',
      WORKER_2_THREADS: '0',
    })
    expect(workers).toEqual([
      { name: 'worker-1', threads: 4 },
      { name: 'worker-3', threads: 2 },
      { name: 'worker-10', threads: 1 },
    ])
  })

  it('builds the URLs of the services from their parts, with the parts escaped', () => {
    const config = readConfig({
      POSTGRES_HOST: 'db',
      POSTGRES_PASSWORD: 'p@ss/word',
      POSTGRES_DB: 'jobs',
      REDIS_HOST: 'cache',
      REDIS_PASSWORD: 'a:b',
    })
    expect(config.databaseUrl).toBe('postgresql://postgres:p%40ss%2Fword@db:5432/jobs')
    expect(config.redisUrl).toBe('redis://:a%3Ab@cache:6379')
  })

  it('takes any one of the POSTGRES variables as the wish to use a server', () => {
    expect(readConfig({ POSTGRES_DB: 'jobs' }).databaseUrl).toBe(
      'postgresql://postgres@127.0.0.1:5432/jobs',
    )
  })

  it('names every wrong variable, its value and what would be right', () => {
    const read = () => readConfig({ API_PORT: 'http', WORKER_1_THREADS: '-1', ROLES: 'api,boss' })
    expect(read).toThrow(ConfigError)
    expect(read).toThrow(/API_PORT="http": must be a whole number/)
    expect(read).toThrow(/WORKER_1_THREADS="-1": must be 0 or more/)
    expect(read).toThrow(/ROLES="api,boss": must be api, worker/)
  })

  it('treats an empty value as unset', () => {
    expect(readConfig({ API_PORT: '', DATABASE_URL: ' ' })).toMatchObject({
      port: 8080,
      databaseUrl: null,
    })
  })

  describe('outside loopback', () => {
    it('refuses to start when nothing says who may come in', () => {
      expect(() => readConfig({ HOST: '0.0.0.0' })).toThrow(/API_KEYS.*AUTH=none/s)
    })
    it('asks for the given keys', () => {
      const apiKeys = ['0123456789abcdef', 'fedcba9876543210']
      expect(readConfig({ HOST: '0.0.0.0', API_KEYS: apiKeys.join(', ') }).apiKeys).toEqual(apiKeys)
    })
    it('is open when told so in so many words', () => {
      expect(readConfig({ HOST: '0.0.0.0', AUTH: 'none' }).apiKeys).toBeNull()
    })
    it('refuses keys that can be guessed, and keys together with AUTH=none', () => {
      expect(() => readConfig({ HOST: '::', API_KEYS: 'secret' })).toThrow(/16 characters/)
      expect(() => readConfig({ AUTH: 'none', API_KEYS: '0123456789abcdef' })).toThrow(/contradict/)
    })
  })

  it('refuses a worker node with no threads', () => {
    const none = { WORKER_1_THREADS: '0', WORKER_2_THREADS: '0' }
    expect(() => readConfig(none)).toThrow(/WORKER_1_THREADS/)
    expect(readConfig({ ...none, ROLES: 'api' }).workers).toEqual([])
  })
})
