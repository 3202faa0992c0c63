import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

const api = process.env.HEDDLE_API ?? 'http://127.0.0.1:8080'

export default defineConfig({
  plugins: [react()],
  server: {
    port: 5173,
    // The server's own pages and doors; every other path is the dashboard's.
    proxy: Object.fromEntries(
      [
        '/graphql',
        '/jobs',
        '/db',
        '/workers',
        '/job-types',
        '/docs',
        '/openapi.json',
        '/metrics',
        '/healthz',
        '/readyz',
      ].map((path) => [path, { target: api, ws: path === '/graphql', changeOrigin: true }]),
    ),
  },
  build: {
    sourcemap: true,
    rollupOptions: {
      output: {
        manualChunks: (id: string) => (id.includes('node_modules') ? 'vendor' : undefined),
      },
    },
  },
})
