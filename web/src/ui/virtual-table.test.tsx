import { cleanup, fireEvent, render, screen } from '@testing-library/react'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { VirtualTable, type Column } from './virtual-table.tsx'

interface Row {
  id: number
}
const rowsOf = (count: number): Row[] => Array.from({ length: count }, (_, id) => ({ id }))
const columns: Column<Row>[] = [
  { name: 'Job', width: '1fr', cell: ({ id }) => `Job ${id}` },
  { name: 'Worker', width: '1fr', hide: 'narrow', cell: () => 'worker-1' },
]

function open(rows: Row[]) {
  const onOpen = vi.fn()
  const onNearEnd = vi.fn()
  const onTop = vi.fn()
  render(
    <VirtualTable
      label="Jobs"
      columns={columns}
      rows={rows}
      keyOf={({ id }) => String(id)}
      stateOf={() => 'QUEUED'}
      onOpen={onOpen}
      onNearEnd={onNearEnd}
      onTop={onTop}
    />,
  )
  const [, ...body] = screen.getAllByRole('row')
  return { onOpen, onNearEnd, onTop, body }
}

describe('a table of many rows', () => {
  // The DOM of tests lays nothing out: everything in it would be 0 pixels tall.
  beforeEach(() => {
    vi.spyOn(HTMLElement.prototype, 'clientHeight', 'get').mockReturnValue(600)
    vi.spyOn(HTMLElement.prototype, 'clientWidth', 'get').mockReturnValue(1200)
  })
  afterEach(() => {
    cleanup()
    vi.restoreAllMocks()
  })

  it('renders the few of ten thousand that are in sight, and tells how many there are', () => {
    const { body, onNearEnd } = open(rowsOf(10_000))
    expect(body.length).toBeGreaterThan(5)
    expect(body.length).toBeLessThan(60)
    expect(body[0]?.textContent).toContain('Job 0')
    expect(screen.getByRole('table', { name: 'Jobs' }).getAttribute('aria-rowcount')).toBe('10001')
    expect(body[0]?.getAttribute('aria-rowindex')).toBe('2')
    expect(onNearEnd).not.toHaveBeenCalled()
  })

  it('asks for more when its end is near', () => {
    expect(open(rowsOf(12)).onNearEnd).toHaveBeenCalled()
  })

  it('tells when its first row goes out of sight and comes back', () => {
    const { onTop } = open(rowsOf(100))
    const table = screen.getByRole('table')
    for (const scrollTop of [10, 500, 900, 20]) fireEvent.scroll(table, { target: { scrollTop } })
    expect(onTop.mock.calls).toEqual([[false], [true]])
  })

  it('opens the row that is clicked, or on which Enter is pressed', () => {
    const { body, onOpen } = open(rowsOf(3))
    fireEvent.click(body[1] as HTMLElement)
    fireEvent.keyDown(body[2] as HTMLElement, { key: 'Enter' })
    fireEvent.keyDown(body[2] as HTMLElement, { key: 'a' })
    expect(onOpen.mock.calls).toEqual([[{ id: 1 }], [{ id: 2 }]])
  })
})
