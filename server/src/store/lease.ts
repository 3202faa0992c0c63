/**
 * What must hold of a row of `job`, beside its id and attempt, for `node` to decide about it, in SQL. In `coalesce`,
 * so that rows are found by their ids and not by walking the index of running jobs, which dead entries fill between
 * two vacuums; and of it the planner expects half of all rows to fit. By statistics of a time when nothing ran it
 * expected one, and went through all that was told for each of thousands: the embedded database, whose plans are
 * not pinned, took seconds for a thousand jobs.
 */
export const heldBy = (node: string): string =>
  `coalesce(job.state = 'RUNNING' AND job.node_id = ${node}, false)`
