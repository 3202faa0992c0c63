import { useVirtualizer } from '@tanstack/react-virtual'
import { ArrowUp } from 'lucide-react'
import { useEffect, useRef, type CSSProperties, type ReactNode } from 'react'
import './virtual-table.css'

export interface Column<Row> {
  name: string
  /** a track of a CSS grid */
  width: string
  /** the track where the table is narrow, if another */
  narrow?: string
  /** left out where the table is of this width, or narrower */
  hide?: 'medium' | 'narrow'
  align?: 'end'
  cell(row: Row): ReactNode
}

const ROW_PX = 46
/** Rows rendered beyond the edges, so that quick scrolling shows no gaps. */
const OVERSCAN = 8
/** The next page is asked for this many rows before the end is reached. */
const AHEAD = 20

/** Any number of rows, of which only the ones in sight are in the page. */
export function VirtualTable<Row>(props: {
  label: string
  columns: readonly Column<Row>[]
  rows: readonly Row[]
  keyOf(row: Row): string
  stateOf(row: Row): string
  onOpen(row: Row): void
  onNearEnd?(): void
  /** tells whether the first row is in sight, when that changes */
  onTop?(atTop: boolean): void
  /** what a button says that leads back to the top, if anything is held back there */
  news?: string | undefined
}) {
  const { columns, rows, onNearEnd, onTop } = props
  const scroller = useRef<HTMLDivElement>(null)
  // eslint-disable-next-line react-hooks/incompatible-library -- its functions are used in this component only, as its author says they must
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: OVERSCAN,
    getItemKey: (index) => {
      const row = rows[index]
      return row === undefined ? index : props.keyOf(row)
    },
    initialRect: { width: 1200, height: 600 },
  })
  const atTop = useRef(true)
  const onScroll = (): void => {
    const now = (scroller.current?.scrollTop ?? 0) < ROW_PX
    if (now === atTop.current) return
    atTop.current = now
    onTop?.(now)
  }
  const items = virtual.getVirtualItems()
  const last = items.at(-1)?.index ?? -1
  useEffect(() => {
    if (last >= 0 && last >= rows.length - AHEAD) onNearEnd?.()
  }, [last, rows.length, onNearEnd])

  const table = (
    <div
      className="vtable"
      role="table"
      aria-label={props.label}
      // The row of heads counts too.
      aria-rowcount={rows.length + 1}
      style={tracksOf(columns)}
      ref={scroller}
      tabIndex={-1}
      onScroll={onScroll}
    >
      <div className="vtable-head vtable-row" role="row" aria-rowindex={1}>
        {columns.map(({ name, hide, align }) => (
          <span key={name} role="columnheader" data-hide={hide} data-align={align}>
            {name}
          </span>
        ))}
      </div>
      <div style={{ height: virtual.getTotalSize(), position: 'relative' }} role="rowgroup">
        {items.map(({ index, key, start }) => {
          const row = rows[index]
          if (row === undefined) return null
          return (
            <div
              key={key}
              className="vtable-row vtable-body"
              role="row"
              aria-rowindex={index + 2}
              tabIndex={0}
              data-state={props.stateOf(row)}
              style={{ transform: `translateY(${start}px)`, height: ROW_PX }}
              onClick={() => props.onOpen(row)}
              onKeyDown={(event) => event.key === 'Enter' && props.onOpen(row)}
            >
              {columns.map(({ name, hide, align, cell }) => (
                <span key={name} role="cell" data-hide={hide} data-align={align}>
                  {cell(row)}
                </span>
              ))}
            </div>
          )
        })}
      </div>
    </div>
  )
  return (
    <div className="vtable-frame">
      {props.news !== undefined && (
        <News text={props.news} onClick={() => scroller.current?.scrollTo({ top: 0 })} />
      )}
      {table}
    </div>
  )
}

/** Over the table, not in it: nothing but rows may be there. */
function News(props: { text: string; onClick: () => void }) {
  return (
    <button type="button" className="vtable-news" onClick={props.onClick}>
      <ArrowUp aria-hidden="true" />
      {props.text}
    </button>
  )
}

/** The grid's tracks at each width; the style sheet says which are at work. */
function tracksOf<Row>(columns: readonly Column<Row>[]): CSSProperties {
  const medium = columns.filter(({ hide }) => hide !== 'medium')
  const narrow = medium.filter(({ hide }) => hide === undefined)
  return {
    '--tracks': columns.map(({ width }) => width).join(' '),
    '--medium-tracks': medium.map(({ width }) => width).join(' '),
    '--narrow-tracks': narrow.map((column) => column.narrow ?? column.width).join(' '),
  } as CSSProperties
}
