import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BUILT, startServerProcess, type ServerProcess } from './server-process.ts'

describe('a server that is started', () => {
  let folder: string
  let servers: ServerProcess[] = []
  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'heddle-start-'))
  })
  afterEach(async () => {
    for (const server of servers) server.signal('SIGKILL')
    await Promise.all(servers.map(({ ended }) => ended))
    servers = []
    rmSync(folder, { recursive: true, force: true })
  })

  const start = async (variables: Record<string, string> = {}): Promise<ServerProcess> => {
    const data = path.join(folder, 'data')
    const server = await startServerProcess(
      { DATA_DIR: data, WORKER_1_THREADS: '1', WORKER_2_THREADS: '0', ...variables },
      BUILT,
    )
    servers.push(server)
    return server
  }
  /** what it says when it cannot start */
  const refusal = (variables: Record<string, string>): Promise<string> =>
    start(variables).then(
      () => expect.fail('it started'),
      (error: Error) => error.message,
    )

  it('tells where everything is, and ends with 0 when told to stop', async () => {
    const server = await start()
    await expect.poll(server.output).toMatch(/GraphQL +http:\S+\/graphql/)
    await expect.poll(server.output).toMatch(/REST +http:\S+\/jobs/)
    server.signal('SIGTERM')
    expect(await server.ended).toBe(0)
  })

  it('names the port that another program has, and the variable that mends it', async () => {
    const other = net.createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as net.AddressInfo
    const said = await refusal({ API_PORT: String(port) })
    other.close()
    expect(said).toContain('ended with 1')
    expect(said).toContain(`Another program listens on 127.0.0.1:${port}`)
    expect(said).toContain('API_PORT')
  })

  it('names every wrong variable at once', async () => {
    const said = await refusal({ API_PORT: 'many', WORKER_1_THREADS: '-3' })
    expect(said).toContain('API_PORT="many": must be a whole number')
    expect(said).toContain('WORKER_1_THREADS="-3": must be 0 or more')
  })

  it('says that the data folder cannot be written', async () => {
    const file = path.join(folder, 'file')
    writeFileSync(file, '')
    expect(await refusal({ DATA_DIR: file })).toContain(`The data folder ${file} cannot be written`)
  })

  it('says that another process has the data folder open', async () => {
    await start()
    const said = await refusal({})
    expect(said).toContain(`${path.join(folder, 'data')} is in use by another process`)
    expect(said).toContain('DATA_DIR')
  })

  it('says that PostgreSQL does not answer', async () => {
    const said = await refusal({ DATABASE_URL: 'postgresql://postgres@127.0.0.1:1/heddle' })
    expect(said).toContain('PostgreSQL at 127.0.0.1:1/heddle does not answer')
  })

  it('refuses to be reachable by others while nothing says who may come in', async () => {
    const said = await refusal({ HOST: '0.0.0.0' })
    expect(said).toContain('API_KEYS')
    expect(said).toContain('AUTH=none')
  })

  it('names a broken job type and goes on without it', async () => {
    writeFileSync(path.join(folder, 'broken.ts'), 'export default 42')
    const { url, output } = await start({ JOBS_DIR: folder })
    const response = await fetch(`${url}/job-types`)
    expect(await response.text()).toContain('add_numbers')
    await expect.poll(output).toContain('broken.ts')
  })
})
