import { once } from 'node:events'
import net from 'node:net'

/** A way to a service that can be cut, to see what the other side of an outage looks like. */
export interface Proxy {
  port: number
  /** the URL, led through the proxy */
  through(url: string): string
  /** breaks every connection and refuses new ones */
  cut(): void
  /** keeps connections open and passes nothing on, as a network that drops packets */
  stall(): void
  /** lets everything through again */
  mend(): void
  /** connections open now */
  size(): number
  close(): Promise<void>
}

export async function startProxy(target: string): Promise<Proxy> {
  const { hostname, port: targetPort, protocol } = new URL(target)
  const standardPort = protocol.startsWith('redis') ? 6379 : 5432
  const pairs = new Set<readonly [net.Socket, net.Socket]>()
  let state: 'open' | 'cut' | 'stalled' = 'open'

  const server = net.createServer((inner) => {
    if (state === 'cut') return void inner.resetAndDestroy()
    const outer = net.connect(Number(targetPort || standardPort), hostname)
    const pair = [inner, outer] as const
    pairs.add(pair)
    for (const [from, to] of [pair, [outer, inner] as const]) {
      from.on('error', () => {})
      from.on('close', () => {
        pairs.delete(pair)
        to.destroy()
      })
      from.pipe(to)
    }
    if (state === 'stalled') for (const socket of pair) socket.pause()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo

  return {
    port,
    through(url) {
      const led = new URL(url)
      led.host = `127.0.0.1:${port}`
      return led.href
    },
    cut() {
      state = 'cut'
      for (const [inner, outer] of pairs) {
        inner.resetAndDestroy()
        outer.destroy()
      }
    },
    stall() {
      state = 'stalled'
      for (const sockets of pairs) for (const socket of sockets) socket.pause()
    },
    mend() {
      state = 'open'
      for (const sockets of pairs) for (const socket of sockets) socket.resume()
    },
    size: () => pairs.size,
    async close() {
      for (const sockets of pairs) for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
