import { connect, createServer, type Socket } from 'node:net'

/** A wire that can be cut: while it is, connections stay open and carry nothing, as when a cable is pulled. */
export interface Proxy {
  port: number
  cut(): void
  mend(): void
  close(): Promise<void>
}

export async function startProxy(targetPort: number): Promise<Proxy> {
  const sockets = new Set<Socket>()
  let whole = true

  const join = (from: Socket, to: Socket): void => {
    from.on('data', (chunk) => {
      if (whole) to.write(chunk)
    })
    from.on('error', () => to.destroy())
    from.on('close', () => {
      sockets.delete(from)
      to.destroy()
    })
    sockets.add(from)
  }
  const server = createServer((client) => {
    const target = connect(targetPort, '127.0.0.1')
    join(client, target)
    join(target, client)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port')

  const destroyAll = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    port: address.port,
    cut() {
      whole = false
    },
    mend() {
      // Bytes were dropped: what was open cannot be continued.
      destroyAll()
      whole = true
    },
    async close() {
      destroyAll()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
