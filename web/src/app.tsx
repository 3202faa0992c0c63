import { useMemo } from 'react'
import { createBrowserRouter, RouterProvider } from 'react-router'
import { Provider } from 'urql'
import { ClusterPage } from './cluster/cluster-page.tsx'
import { createConnection } from './graphql/connection.ts'
import { ConnectionContext } from './graphql/connection-context.ts'
import { HistoryPage } from './history/history-page.tsx'
import { JobPage } from './job/job-page.tsx'
import { JobsPage } from './jobs/jobs-page.tsx'
import { NotFoundPage } from './shell/not-found-page.tsx'
import { Shell } from './shell/shell.tsx'
import { SubmitPage } from './submit/submit-page.tsx'

/** Paths that REST does not use: `/jobs` and `/workers` belong to curl. */
const routes = [
  {
    element: <Shell />,
    children: [
      { path: '/', element: <JobsPage /> },
      { path: '/submit', element: <SubmitPage /> },
      { path: '/history', element: <HistoryPage /> },
      { path: '/job/:id', element: <JobPage /> },
      { path: '/cluster', element: <ClusterPage /> },
      { path: '*', element: <NotFoundPage /> },
    ],
  },
]

/** The one place where the features meet. */
export function App() {
  const connection = useMemo(() => createConnection(window.location), [])
  const router = useMemo(() => createBrowserRouter(routes), [])
  return (
    <ConnectionContext value={connection}>
      <Provider value={connection.client}>
        <RouterProvider router={router} />
      </Provider>
    </ConnectionContext>
  )
}
