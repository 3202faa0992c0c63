/**
 * Those who watch in bench/watch.ts, in a process of their own: sockets that speak graphql-transport-ws and count what
 * they are told. Node 20 has WebSocket behind the flag it is started with.
 */

/** What the parent asks for first. After that each word of it asks for what was told since the one before. */
export interface Watch {
  port: number
  watchers: number
  field: string
}

export interface Told {
  messages: number
  jobs: number
}

const JOB = `id name type priority threadDemand width widthReason state progress attempt maxAttempts workerName
  cancelRequested createdAt runAt startedAt finishedAt queueTimeMs executionTimeMs totalTimeMs`
const queries: Record<string, string> = {
  jobsUpdated: `subscription { jobsUpdated { jobs { ${JOB} } incomplete } }`,
  jobUpdated: `subscription { jobUpdated { ${JOB} } }`,
}

interface Message {
  type: string
  payload?: { data?: { jobsUpdated?: { jobs: unknown[] }; jobUpdated?: unknown } }
}

let told: Told = { messages: 0, jobs: 0 }

/** Resolves when it is let in; what it subscribes to comes from then on. */
const open = ({ port, field }: Watch): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/graphql`, 'graphql-transport-ws')
    const send = (message: unknown): void => socket.send(JSON.stringify(message))
    socket.addEventListener('error', () => reject(new Error('a socket broke')))
    socket.addEventListener('open', () => send({ type: 'connection_init' }))
    socket.addEventListener('message', ({ data }) => {
      const { type, payload } = JSON.parse(String(data)) as Message
      if (type === 'ping') send({ type: 'pong' })
      if (type === 'error') reject(new Error(JSON.stringify(payload)))
      if (type === 'connection_ack') {
        send({ id: '1', type: 'subscribe', payload: { query: queries[field] } })
        resolve()
      }
      if (type !== 'next') return
      told.messages += 1
      told.jobs += payload?.data?.jobsUpdated?.jobs.length ?? 1
    })
  })

process.once('message', (watch: Watch) => {
  void Promise.all(Array.from({ length: watch.watchers }, () => open(watch))).then(() => {
    process.send?.('ready')
    let isCounting = false
    process.on('message', () => {
      if (isCounting) process.send?.(told)
      isCounting = true
      told = { messages: 0, jobs: 0 }
    })
  })
})
