import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { dashboardPolicy } from './headers.ts'

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.ico': 'image/x-icon',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
}

/** A file below `root`, or null: where there is none, where it lies outside, where the path is nonsense. */
export async function serveFile(
  root: string,
  urlPath: string,
  headers: Record<string, string>,
): Promise<Response | null> {
  const file = below(root, urlPath)
  const type = file && types[path.extname(file)]
  if (!file || !type) return null
  try {
    return new Response(await readFile(file), { headers: { 'content-type': type, ...headers } })
  } catch {
    return null
  }
}

function below(root: string, urlPath: string): string | null {
  try {
    const decoded = decodeURIComponent(urlPath)
    const file = path.resolve(root, `.${path.posix.normalize(`/${decoded}`)}`)
    return !decoded.includes('\0') && file.startsWith(root + path.sep) ? file : null
  } catch {
    return null
  }
}

export interface Dashboard {
  /** a built file, or null */
  file(urlPath: string): Promise<Response | null>
  /** the page itself, for each of its routes; null while it is not built */
  page(): Promise<Response | null>
}

/** The built dashboard. Vite names files in assets/ by their content, so those never change. */
export function createDashboard(root: string): Dashboard {
  return {
    async file(urlPath) {
      if (!path.extname(urlPath) || !existsSync(root)) return null
      const lasting = urlPath.startsWith('/assets/')
      return serveFile(root, urlPath, {
        'cache-control': lasting ? 'public, max-age=31536000, immutable' : 'no-cache',
      })
    },
    async page() {
      const html = await readFile(path.join(root, 'index.html'), 'utf8').catch(() => null)
      if (html === null) return null
      return new Response(html, {
        headers: {
          'content-type': 'text/html; charset=utf-8',
          'cache-control': 'no-cache',
          'content-security-policy': dashboardPolicy(html),
          vary: 'accept',
        },
      })
    },
  }
}
