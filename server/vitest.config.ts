import { createRequire } from 'node:module'
import { defineConfig } from 'vitest/config'

const require = createRequire(import.meta.url)

export default defineConfig({
  // Vite takes graphql's `module` file where Node takes `main`: two copies in one process, whose
  // instances do not know each other.
  resolve: { alias: [{ find: /^graphql$/, replacement: require.resolve('graphql') }] },
  test: {
    name: 'server',
    environment: 'node',
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    globalSetup: ['test/template.ts'],
    setupFiles: ['test/quiet.ts'],
    hookTimeout: 60_000,
    testTimeout: 90_000,
  },
})
