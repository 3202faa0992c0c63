import type { CSSProperties } from 'react'
import { Link } from 'react-router'
import { gangsOf, hueOf, type WorkerNow } from './gangs.ts'

/** One worker: its threads as cells, those of one job side by side in one colour. */
export function WorkerLane({ worker }: { worker: WorkerNow }) {
  const gangs = gangsOf(worker.threads)
  return (
    <section className="lane" aria-label={worker.name}>
      <header>
        <h3>{worker.name}</h3>
        <p>
          {worker.busyThreads} of {worker.threadCount} busy
        </p>
      </header>
      <div className="gangs">
        {gangs.map((gang) =>
          gang.jobId === null ? (
            <div key="free" className="gang" aria-label={`${gang.threads.length} free threads`}>
              <Cells threads={gang.threads} />
            </div>
          ) : (
            <Link
              key={gang.jobId}
              to={`/job/${gang.jobId}`}
              className="gang gang-busy"
              style={{ '--hue': hueOf(gang.jobId) } as CSSProperties}
              title={`${gang.name} (${gang.type}) on ${gang.threads.length} threads`}
            >
              <Cells threads={gang.threads} />
              <span className="gang-name">{gang.name || gang.jobId}</span>
            </Link>
          ),
        )}
      </div>
    </section>
  )
}

function Cells({ threads }: { threads: number[] }) {
  return (
    <span className="cells">
      {threads.map((index) => (
        <span key={index} className="cell" title={`Thread ${index}`} />
      ))}
    </span>
  )
}
