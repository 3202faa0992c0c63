import { cleanup, render, screen } from '@testing-library/react'
import { userEvent } from '@testing-library/user-event'
import type { Client } from '@urql/core'
import { useState } from 'react'
import { Provider } from 'urql'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { fakeClient } from '../testing/client.ts'
import { draftOf } from './draft.ts'
import { JobForm } from './job-form.tsx'

const jobType = {
  type: 'resize_image',
  description: null,
  parallel: false,
  payloadSchema: {
    type: 'object',
    properties: {
      width: { type: 'integer', minimum: 1, description: 'Pixels' },
      note: { type: 'string' },
    },
    required: ['width'],
  },
  example: { width: 320 },
  maxAttempts: 3,
  timeoutMs: 60_000,
}

function open(client: Client) {
  const onSubmitted = vi.fn()
  const Page = () => {
    const [draft, setDraft] = useState(draftOf(jobType))
    return <JobForm jobType={jobType} draft={draft} onChange={setDraft} onSubmitted={onSubmitted} />
  }
  render(
    <Provider value={client}>
      <Page />
    </Provider>,
  )
  return { user: userEvent.setup(), onSubmitted }
}

const control = (name: RegExp) => screen.getByRole<HTMLInputElement>('textbox', { name })
const press = (name: string) => screen.getByRole('button', { name })
const described = (element: HTMLElement): string =>
  document.getElementById(element.getAttribute('aria-describedby') ?? '')?.textContent ?? ''

describe('the form of a job type', () => {
  afterEach(cleanup)

  it('starts with an example, and hints at what fits', () => {
    open(fakeClient(() => ({ data: null })))
    expect(control(/width/).value).toBe('320')
    expect(described(control(/width/))).toBe('Pixels; 1 or more')
    expect(control(/width/).getAttribute('aria-invalid')).toBeNull()
  })

  it('submits what stands in it, and says under which id it was accepted', async () => {
    const asked = vi.fn()
    const { user, onSubmitted } = open(
      fakeClient(({ variables }) => {
        asked(variables)
        return { data: { submitJob: { id: '7' } } }
      }),
    )
    await user.clear(control(/width/))
    await user.type(control(/width/), '64')
    await user.type(control(/^Name/), 'Banner')
    await user.click(press('Submit job'))
    expect(asked).toHaveBeenCalledExactlyOnceWith({
      input: {
        type: 'resize_image',
        payload: { width: 64 },
        name: 'Banner',
        priority: 0,
        threadDemand: 1,
      },
    })
    expect(onSubmitted).toHaveBeenCalledExactlyOnceWith('7')
  })

  it('tells what the server refuses at the fields, opening those that were folded away', async () => {
    const issues = [
      { path: ['payload', 'width'], message: 'too small' },
      { path: ['maxAttempts'], message: 'too many' },
    ]
    const { user, onSubmitted } = open(
      fakeClient(() => ({ refusal: 'refused', extensions: { code: 'INVALID_JOB', issues } })),
    )
    await user.click(press('Submit job'))
    expect(described(control(/width/))).toBe('too small')
    expect(described(control(/Attempts/))).toBe('too many')
    expect(control(/Attempts/).closest('details')?.open).toBe(true)
    expect(document.activeElement).toBe(control(/width/))
    const wrong = screen
      .getAllByRole('textbox')
      .filter((element) => element.getAttribute('aria-invalid') === 'true')
    expect(wrong.map(({ id }) => id)).toEqual(['payload-width', 'maxAttempts'])
    expect(onSubmitted).not.toHaveBeenCalled()
  })

  it('tells a refusal that is about no field', async () => {
    const { user } = open(
      fakeClient(() => ({ refusal: 'The queue is full', extensions: { hint: 'Try again later' } })),
    )
    await user.click(press('Submit job'))
    expect(screen.getByRole('alert').textContent).toBe('The queue is full. Try again later')
  })

  it('asks nobody while something in it cannot be read', async () => {
    const asked = vi.fn()
    const { user } = open(fakeClient(asked))
    await user.type(control(/width/), 'px')
    await user.click(press('Submit job'))
    expect(described(control(/width/))).toBe('This is not a number')
    expect(asked).not.toHaveBeenCalled()
  })

  it('keeps what was typed when it is switched to JSON and back', async () => {
    const { user } = open(fakeClient(() => ({ data: null })))
    await user.clear(control(/width/))
    await user.type(control(/width/), '64')
    await user.type(control(/^note/), 'draft')
    await user.type(control(/^Name/), 'Banner')
    await user.click(press('Write as JSON'))
    expect(JSON.parse(control(/Payload/).value)).toEqual({ width: 64, note: 'draft' })
    expect(control(/^Name/).value).toBe('Banner')

    await user.clear(control(/Payload/))
    await user.type(control(/Payload/), '{{"width": 32')
    await user.click(press('Write by field'))
    expect(described(control(/Payload/))).toContain('This is not JSON')
    expect(control(/Payload/).value).toBe('{"width": 32')

    await user.type(control(/Payload/), '}')
    await user.click(press('Write by field'))
    expect(control(/width/).value).toBe('32')
    expect(control(/^Name/).value).toBe('Banner')
  })
})
