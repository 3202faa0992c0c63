import pg from 'pg'

/**
 * What autovacuum would do in its own time, so that nobody's queries are planned for empty tables, and a
 * checkpoint, so that nobody's drain pays for writing out what was put in before it.
 *
 * @param {import('../compare/workload.mjs').Cell} cell
 */
export async function settleTables({ postgresUrl }) {
  const client = new pg.Client({ connectionString: postgresUrl })
  await client.connect()
  await client.query('VACUUM ANALYZE')
  // Only a superuser may.
  await client.query('CHECKPOINT').catch(() => undefined)
  await client.end()
}
