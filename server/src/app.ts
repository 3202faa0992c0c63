/**
 * Puts the parts together: opens them in order, closes them in reverse. The server, the tests and the
 * benchmarks all start this same app.
 *
 * The database opens first, and while it does, modules are loaded and worker processes start: these are
 * seconds otherwise. What a node may never need (Redis, threads in its own process) it does not load.
 */
import { randomUUID } from 'node:crypto'
import path from 'node:path'
import type { Bus } from './bus/bus.ts'
import { createMemoryBus } from './bus/memory.ts'
import { ConfigError, type Config } from './config.ts'
import { toError } from './core/errors.ts'
import type { Registry } from './job-types/registry.ts'
import { log } from './log.ts'
import type { Scheduler } from './scheduler/scheduler.ts'
import type { JobCache } from './store/cache/cache.ts'
import { createMemoryCache } from './store/cache/memory.ts'
import { openStore } from './store/open.ts'
import type { Worker, WorkerEvents } from './workers/worker.ts'

/** The built dashboard, seen from src/ and dist/ alike. */
const WEB_ROOT = path.resolve(import.meta.dirname, '../../web/dist')

export interface App {
  address: { host: string; port: number }
  scheduler: Scheduler
  bus: Bus
  databaseDescription: string
  brokenJobTypes: Registry['broken']
  shutdownMs: number
  /** drains and closes everything, once */
  close(): Promise<void>
  /** ends the wait for running jobs */
  hurry(): void
}

/** What was opened so far, so that a failure half-way closes just that. */
function createClosing() {
  const steps: { name: string; close: () => Promise<void> | void }[] = []
  return {
    add: (name: string, close: () => Promise<void> | void) => void steps.push({ name, close }),
    async run() {
      for (const { name, close } of steps.splice(0).reverse()) {
        try {
          await close()
        } catch (error) {
          log.error({ part: name, error: toError(error).message }, 'did not close cleanly')
        }
      }
    },
  }
}

interface Events {
  bus: Bus
  cache: JobCache
  close(): Promise<void>
}

async function openEvents({ redisUrl, redisPrefix }: Config): Promise<Events> {
  if (redisUrl === null) {
    const bus = createMemoryBus()
    return { bus, cache: createMemoryCache(), close: () => bus.close() }
  }
  const [{ connectRedis }, { createRedisBus }, { createRedisCache }] = await Promise.all([
    import('./bus/connect.ts'),
    import('./bus/redis.ts'),
    import('./store/cache/redis.ts'),
  ])
  const commands = connectRedis(redisUrl, 'commands')
  const bus = createRedisBus({
    publisher: connectRedis(redisUrl, 'commands'),
    subscriber: connectRedis(redisUrl, 'subscriber'),
    prefix: redisPrefix,
    nodeId: randomUUID(),
  })
  const cache = createRedisCache(commands, redisPrefix)
  return {
    bus,
    cache,
    async close() {
      await bus.close()
      await cache.close()
    },
  }
}

/** All of this node's workers, or none: those that came up are closed when one does not. */
async function startWorkers(
  config: Config,
  modules: string[],
  events: WorkerEvents,
): Promise<Worker[]> {
  const start =
    config.isolation === 'process'
      ? (await import('./workers/process-worker.ts')).startProcessWorker
      : (await import('./workers/thread-worker.ts')).startThreadWorker
  const starts = await Promise.allSettled(
    config.workers.map(({ name, threads }) =>
      start(
        {
          name,
          threads,
          modules,
          graceMs: config.cancelGraceMs,
          ...(config.threadMemoryMb === null
            ? {}
            : { maxOldGenerationSizeMb: config.threadMemoryMb }),
        },
        events,
      ),
    ),
  )
  const workers = starts.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  const failed = starts.find((result) => result.status === 'rejected')
  if (!failed) return workers
  await Promise.all(workers.map((worker) => worker.close()))
  throw failed.reason
}

/** Workers under way, which report to nobody until somebody takes them: they have nothing to do yet. */
function startEarly(config: Config, modules: string[]) {
  let events: WorkerEvents = {
    finished: () => {},
    progress: () => {},
    trouble: (message) => log.warn(message),
  }
  const workers = startWorkers(config, modules, {
    finished: (results) => events.finished(results),
    progress: (updates) => events.progress(updates),
    trouble: (message) => events.trouble(message),
  })
  // Whoever takes them hears of it.
  workers.catch(() => {})
  return {
    take(own: WorkerEvents): Promise<Worker[]> {
      events = own
      return workers
    },
    async warm() {
      for (const worker of await workers) worker.warm()
    },
    async close() {
      const started = await workers.catch(() => [])
      await Promise.all(started.map((worker) => worker.close()))
    },
  }
}

async function loadJobTypes({ jobsDir, dataDir }: Config): Promise<Registry> {
  const { loadRegistry } = await import('./job-types/registry.ts')
  return loadRegistry({
    ...(jobsDir === null ? {} : { jobsDir: path.resolve(jobsDir) }),
    cacheDir: path.resolve(dataDir, 'job-types'),
  })
}

async function loadParts() {
  const [{ createScheduler }, { createApi }, { createRead }] = await Promise.all([
    import('./scheduler/scheduler.ts'),
    import('./api/http.ts'),
    import('./store/read.ts'),
  ])
  return { createScheduler, createApi, createRead }
}

const describeDatabase = (config: Config): string => {
  if (config.databaseUrl === null) return `embedded, in ${path.resolve(config.dataDir)}`
  const { host, pathname } = new URL(config.databaseUrl)
  return `PostgreSQL at ${host}${pathname}`
}

/** Throws with what is wrong and how to mend it; whatever was opened by then is closed again. */
export async function startApp(config: Config): Promise<App> {
  const closing = createClosing()
  try {
    const opening = openStore({
      url: config.databaseUrl,
      dataDir: config.dataDir,
      poolSize: config.databasePool,
    })
    closing.add('store', async () => (await opening.catch(() => null))?.close())
    const registry = await loadJobTypes(config)
    const workers = startEarly(config, registry.modules)
    closing.add('workers', () => workers.close())
    const { createScheduler, createApi, createRead } = await loadParts()
    const store = await opening

    const { bus, cache, close: closeEvents } = await openEvents(config)
    closing.add('events', closeEvents)

    const scheduler = await createScheduler({
      store,
      bus,
      cache,
      registry,
      nodeName: config.nodeName,
      roles: config.roles,
      queueLimit: config.queueLimit,
      leaseMs: config.leaseMs,
      isolated: config.isolation === 'process',
      shutdownMs: config.shutdownMs,
      agingMs: config.agingMs,
      fairShare: config.fairShare,
      reservations: config.reservations,
      historyDays: config.historyDays,
      startWorkers: (events) => workers.take(events),
    })
    closing.add('scheduler', () => scheduler.stop())
    // It waits for the database most of the time: the GraphQL schema is built meanwhile.
    const starting = scheduler.start()
    starting.catch(() => {})
    const api = createApi({
      scheduler,
      read: createRead(store, cache),
      bus,
      registry,
      apiKeys: config.apiKeys,
      bodyLimitBytes: config.bodyLimitBytes,
      corsOrigins: config.corsOrigins,
      webRoot: WEB_ROOT,
    })
    closing.add('api', () => api.close())
    // Stops first: people can watch the last jobs end while nothing new is taken in.
    closing.add('drain', () => scheduler.stop())
    await starting
    const { port } = await api
      .listen({ host: config.host, port: config.port })
      .catch(listenError(config))
    // Not before: all that is needed to answer comes first.
    await workers.warm()

    return {
      address: { host: config.host, port },
      scheduler,
      bus,
      databaseDescription: describeDatabase(config),
      brokenJobTypes: registry.broken,
      shutdownMs: config.shutdownMs,
      close: () => closing.run(),
      hurry: () => scheduler.hurry(),
    }
  } catch (error) {
    await closing.run()
    throw error
  }
}

const listenError =
  ({ host, port }: Config) =>
  (error: unknown): never => {
    const { code } = toError(error) as NodeJS.ErrnoException
    const where = `${host}:${port}`
    if (code === 'EADDRINUSE') {
      throw new ConfigError(
        `Another program listens on ${where}. Stop it, or choose another port with API_PORT=8081`,
      )
    }
    if (code === 'EACCES') {
      throw new ConfigError(
        `This user may not listen on ${where}. Choose a port above 1023 with API_PORT`,
      )
    }
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
      throw new ConfigError(
        `HOST=${host} is no address of this machine. Use 127.0.0.1, or 0.0.0.0 for all`,
      )
    }
    throw error
  }
