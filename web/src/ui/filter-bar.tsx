import { Search } from 'lucide-react'
import { useState } from 'react'
import { useSearchParams } from 'react-router'
import './filter-bar.css'

export interface Choice {
  value: string
  label: string
}

/** What the address says is filtered; empty parts mean everything. */
export interface UrlFilter {
  tab: string
  type: string
  name: string
}

export function useUrlFilter(): [UrlFilter, (change: Partial<UrlFilter>) => void] {
  const [params, setParams] = useSearchParams()
  const read = (key: string): string => params.get(key) ?? ''
  const filter = { tab: read('state'), type: read('type'), name: read('name') }
  const change = (part: Partial<UrlFilter>): void => {
    const { tab, type, name } = { ...filter, ...part }
    const entries = Object.entries({ state: tab, type, name }).filter(([, value]) => value !== '')
    setParams(Object.fromEntries(entries), { replace: true })
  }
  return [filter, change]
}

/** State as tabs, type as a list, and a search in names. */
export function FilterBar(props: {
  filter: UrlFilter
  onChange: (change: Partial<UrlFilter>) => void
  tabs: Choice[]
  types: string[]
}) {
  const { filter, onChange } = props
  return (
    <div className="filter-bar">
      <div className="tabs" role="group" aria-label="State">
        {props.tabs.map(({ value, label }) => (
          <button
            key={value}
            type="button"
            className="tab"
            aria-pressed={filter.tab === value}
            onClick={() => onChange({ tab: value })}
          >
            {label}
          </button>
        ))}
      </div>
      <select
        className="input filter-type"
        aria-label="Type"
        value={filter.type}
        onChange={(event) => onChange({ type: event.target.value })}
      >
        <option value="">All types</option>
        {props.types.map((type) => (
          <option key={type}>{type}</option>
        ))}
      </select>
      <NameSearch name={filter.name} onSearch={(name) => onChange({ name })} />
    </div>
  )
}

/** Searches on Enter or when left, not per key: each search is a query of the database. */
function NameSearch({ name, onSearch }: { name: string; onSearch: (name: string) => void }) {
  const [text, setText] = useState(name)
  const search = (): void => {
    if (text.trim() !== name) onSearch(text.trim())
  }
  return (
    <form
      role="search"
      className="filter-search"
      onSubmit={(event) => {
        event.preventDefault()
        search()
      }}
    >
      <Search aria-hidden="true" />
      <input
        className="input"
        type="search"
        aria-label="Search names"
        placeholder="Search names"
        value={text}
        onChange={(event) => setText(event.target.value)}
        onBlur={search}
      />
    </form>
  )
}
