import { cleanup, render, screen } from '@testing-library/react'
import { Provider } from 'urql'
import { afterEach, describe, expect, it } from 'vitest'
import { fakeClient } from '../testing/client.ts'
import { FairShares } from './fair-shares.tsx'

const share = (key: string, usedThreadMs: number, part: number) => ({
  __typename: 'FairShare',
  ...{ key, weight: 1, usedThreadMs, share: part, entitled: 0.5 },
})

const show = (fairShares: ReturnType<typeof share>[]) =>
  render(
    <Provider value={fakeClient(() => ({ data: { fairShares } }))}>
      <FairShares />
    </Provider>,
  )

describe('fair shares', () => {
  afterEach(cleanup)

  it('draws each share as long as it is, with a mark where it should be', async () => {
    const { container } = show([share('acme', 3000, 0.75), share('', 1000, 0.25)])
    expect((await screen.findByText('acme')).closest('tr')?.textContent).toContain('75 %')
    expect(screen.getByText('no key').closest('tr')?.textContent).toContain('25 %')
    const styles = (selector: string) =>
      [...container.querySelectorAll<HTMLElement>(selector)].map(({ style }) => style)
    expect(styles('.share-used').map(({ width }) => width)).toEqual(['75%', '25%'])
    expect(styles('.share-entitled').map(({ left }) => left)).toEqual(['50%', '50%'])
  })

  it('shows nothing where nobody has used anything', () => {
    const { container } = show([share('acme', 0, 0)])
    expect(container.textContent).toBe('')
  })
})
