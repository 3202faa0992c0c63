import { cleanup, render, screen } from '@testing-library/react'
import type { Client } from '@urql/core'
import { MemoryRouter, Route, Routes } from 'react-router'
import { Provider } from 'urql'
import { afterEach, describe, expect, it } from 'vitest'
import { ConnectionContext } from '../graphql/connection-context.ts'
import { fakeClient } from '../testing/client.ts'
import { createFakeConnection } from '../testing/connection.ts'
import { job } from '../testing/jobs.ts'
import { JobPage } from './job-page.tsx'

const id = 'a'
const present = (change: Parameters<typeof job>[0]) => ({
  ...job({ id, ...change }),
  nodeId: null,
  timeoutMs: 60_000,
  result: null,
  error: null,
  attempts: [],
})

function open(client: Client) {
  const connection = createFakeConnection(client)
  render(
    <ConnectionContext value={connection}>
      <Provider value={client}>
        <MemoryRouter initialEntries={[`/job/${id}`]}>
          <Routes>
            <Route path="/job/:id" element={<JobPage />} />
          </Routes>
        </MemoryRouter>
      </Provider>
    </ConnectionContext>,
  )
  return connection
}

describe('the page of a job', () => {
  afterEach(cleanup)

  it('believes an event over an answer that was read before it and arrives after it', async () => {
    let answer = (): void => undefined
    const asked = new Promise<void>((resolve) => (answer = resolve))
    open(
      fakeClient(async ({ kind }) => {
        if (kind === 'subscription') {
          return { data: { jobUpdated: { ...present({ state: 'COMPLETED' }), result: 55 } } }
        }
        await asked
        return { data: { job: { ...present({ state: 'RUNNING' }), payload: { numbers: [55] } } } }
      }),
    )
    await screen.findByText('Reading the job')
    answer()
    const title = await screen.findByRole('heading', { level: 1 })
    expect(title.textContent).toContain('Completed')
    expect(screen.getByRole('status').textContent).toBe('55')
    expect(screen.getByText(/"numbers": \[55\]/)).toBeTruthy()
  })

  it('says that nobody knows the job', async () => {
    open(fakeClient(() => ({ data: { job: null } })))
    expect(await screen.findByText('No such job')).toBeTruthy()
  })

  it('says why the job could not be read', async () => {
    open(fakeClient(() => ({ refusal: 'The database does not answer' })))
    expect((await screen.findByRole('alert')).textContent).toContain('The database does not answer')
  })

  it('asks again when the connection is back', async () => {
    let up = false
    const connection = open(
      fakeClient(({ kind }) =>
        up && kind === 'query'
          ? { data: { job: { ...present({ state: 'FAILED' }), payload: {} } } }
          : { refusal: 'down' },
      ),
    )
    await screen.findByRole('alert')
    up = true
    connection.blink()
    expect((await screen.findByRole('heading', { level: 1 })).textContent).toContain('Failed')
  })
})
