import { createRequire } from 'node:module'
import path from 'node:path'
import { Hono } from 'hono'
import { serveFile } from './dashboard.ts'
import { docsPolicy } from './headers.ts'

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Heddle REST API</title>
    <link rel="icon" href="/docs/favicon-32x32.png" />
    <link rel="stylesheet" href="/docs/swagger-ui.css" />
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`
const start = `SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  persistAuthorization: true,
  tryItOutEnabled: true,
  validatorUrl: null,
})
`

/** The REST API's page, from the files of the installed package: it needs no network. */
export function createDocsPage() {
  const root = path.dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'))
  const files = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png']
  const docs = new Hono()
  docs.get('/docs', () => {
    const headers = { 'content-type': 'text/html; charset=utf-8' }
    return new Response(page, { headers: { ...headers, 'content-security-policy': docsPolicy } })
  })
  docs.get('/docs/start.js', () => {
    return new Response(start, { headers: { 'content-type': 'text/javascript; charset=utf-8' } })
  })
  docs.get('/docs/:file', async (c, next) => {
    const file = c.req.param('file')
    if (!files.includes(file)) return next()
    const served = await serveFile(root, `/${file}`, { 'cache-control': 'public, max-age=86400' })
    return served ?? next()
  })
  return docs
}
