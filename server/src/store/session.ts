/** Settings of every session, on a server and embedded. */
export const sessionSettings: readonly (readonly [name: string, value: string])[] = [
  // Prisma's adapter writes times with no offset: in any other zone they would be stored wrong.
  ['TimeZone', 'UTC'],
  // A plan made while the queue was empty must not serve when it holds a million jobs. Planning costs
  // 0.1–0.3 ms per statement, and statements carry batches.
  ['plan_cache_mode', 'force_custom_plan'],
  // Where statistics lag behind a queue that grew by 100,000 rows in a second, the planner would rather
  // gather and sort them all than walk the index that has them in order.
  ['enable_bitmapscan', 'off'],
  ['random_page_cost', '1.1'],
  // Compiling a query costs more than any of ours.
  ['jit', 'off'],
]

/**
 * Of the connections for statements that run for every job. Their plans are made once and find rows by their
 * ids, whatever the statistics say: to plan each call anew took half of its CPU time where a call is about one
 * job, and in a small table with many dead rows the planner chose to read all of it, at 17 µs a job in place
 * of 6.
 */
export const hotSettings: typeof sessionSettings = [
  ['plan_cache_mode', 'force_generic_plan'],
  ['enable_seqscan', 'off'],
  ['enable_hashjoin', 'off'],
  ['enable_mergejoin', 'off'],
]
