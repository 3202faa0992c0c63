import { createHash } from 'node:crypto'
import { graphiqlPolicy } from '../headers.ts'

const submit = `# Sums the numbers on four threads at once. Press the play button.
mutation SumOnFourThreads {
  submitJob(
    input: {
      name: "Sum large array"
      typedPayload: { largeArraySum: { numbers: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] } }
      priority: 10
      threadDemand: 4
    }
  ) {
    id
    state
  }
}
`
const watch = `# Start this one first, then submit a job in the other tab and see it run.
subscription WatchJobs {
  jobUpdated {
    id
    name
    state
    progress
    workerName
    width
    result
    executionTimeMs
  }
}
`
const look = `# What is waiting, what has ended, and how long it took.
query Overview {
  workers {
    name
    nodeName
    busyThreads
    threadCount
  }
  jobs(first: 10) {
    nodes {
      id
      name
      state
      priority
    }
  }
  history(first: 10) {
    nodes {
      id
      name
      type
      state
      result
      queueTimeMs
      executionTimeMs
      totalTimeMs
    }
  }
}
`

/**
 * GraphiQL leaves its tabs a shift that its own style hides until one has the focus: the tab then jumps away
 * from under the pointer, and the first click on it does nothing. Hidden always, tabs open at the first click.
 */
const standingTabs = '<style>.graphiql-tab { transform: none !important }</style>'

/** The page that answers a browser on /graphql, made once: it is 9 MB, as it needs nothing from the network. */
export function createGraphiql(): (request: Request) => Promise<Response> {
  let page: Promise<{ html: Uint8Array<ArrayBuffer>; etag: string }> | null = null

  const render = async () => {
    // Loaded when somebody first opens the page: its module is a text of 9 MB, 45 MB of resident memory.
    const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql')
    const html = Buffer.from(
      renderGraphiQL({
        title: 'Heddle GraphiQL',
        endpoint: '/graphql',
        subscriptionsProtocol: 'WS',
        shouldPersistHeaders: false,
        defaultTabs: [{ query: submit }, { query: watch }, { query: look }],
      }).replace('<head>', `<head>${standingTabs}`),
    )
    return { html, etag: `"${createHash('sha256').update(html).digest('base64url').slice(0, 22)}"` }
  }

  return async (request) => {
    const { html, etag } = await (page ??= render())
    const headers = { etag, 'cache-control': 'no-cache', vary: 'accept' }
    if (request.headers.get('if-none-match') === etag) {
      return new Response(null, { status: 304, headers })
    }
    return new Response(html, {
      headers: {
        ...headers,
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': graphiqlPolicy,
      },
    })
  }
}
