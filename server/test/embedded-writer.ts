import { insertJobs } from '../src/store/insert.ts'
import { openStore } from '../src/store/open.ts'
import './quiet.ts'
import { newJobs } from './new-jobs.ts'

// Stores jobs in the data folder named on the command line, and prints the ids of each batch once it is
// acknowledged, until it is killed.
const store = await openStore({ dataDir: process.argv[2] ?? '' })
for (;;) {
  const results = await insertJobs(store, newJobs(20), { queueLimit: 1_000_000 })
  const ids = results.flatMap((result) => ('job' in result ? [result.job.id] : []))
  process.stdout.write(`${ids.join('\n')}\n`)
}
