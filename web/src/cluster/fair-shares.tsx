import { useEffect } from 'react'
import { useQuery } from 'urql'
import { graphql } from '../graphql/generated/index.ts'
import { Panel } from '../ui/controls.tsx'
import { formatDuration } from '../ui/format.ts'
import './fair-shares.css'

const REFRESH_MS = 5_000
/** Those that use most; the API lists more. */
const SHOWN = 20

const FairSharesNow = graphql(`
  query FairSharesNow {
    fairShares {
      key
      weight
      usedThreadMs
      share
      entitled
    }
  }
`)

const cssPercent = (part: number): string => `${part * 100}%`
const percent = (part: number): string => `${(part * 100).toFixed(part < 0.1 ? 1 : 0)} %`

/** Who uses the threads; nothing where fair share is off, or nobody has used any. */
export function FairShares() {
  const [{ data }, refresh] = useQuery({ query: FairSharesNow })
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) refresh({ requestPolicy: 'network-only' })
    }, REFRESH_MS)
    return () => clearInterval(timer)
  }, [refresh])

  const shares = data?.fairShares.filter(({ usedThreadMs }) => usedThreadMs > 0) ?? []
  if (shares.length === 0) return null
  return (
    <Panel title="Fair share">
      <table className="shares">
        <thead>
          <tr>
            <th scope="col">Fairness key</th>
            <th scope="col">Weight</th>
            <th scope="col">Thread time of late</th>
            <th scope="col">Share</th>
          </tr>
        </thead>
        <tbody>
          {shares.slice(0, SHOWN).map(({ key, weight, usedThreadMs, share, entitled }) => (
            <tr key={key}>
              <th scope="row">{key === '' ? <i>no key</i> : key}</th>
              <td>{weight}</td>
              <td>{formatDuration(usedThreadMs)}</td>
              <td>
                <span className="share-bar" aria-hidden>
                  <span className="share-used" style={{ width: cssPercent(share) }} />
                  <span className="share-entitled" style={{ left: cssPercent(entitled) }} />
                </span>
                {percent(share)} <small>of {percent(entitled)} by weight</small>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  )
}
