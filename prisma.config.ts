import { defineConfig } from 'prisma/config'

/** Only the prisma CLI reads this. It reads no .env file and no url in schema.prisma: the url is given here. */
export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  datasource: {
    // `generate` needs no database, and fails without a url all the same.
    url: process.env['DATABASE_URL'] ?? 'postgresql://unset:unset@127.0.0.1:5432/unset',
    ...(process.env['SHADOW_DATABASE_URL']
      ? { shadowDatabaseUrl: process.env['SHADOW_DATABASE_URL'] }
      : {}),
  },
})
