/** A route of the server. Paths are relative to where it is mounted. */
export interface Route {
  readonly method: 'GET' | 'POST'
  /** With `:name` for a part that varies. */
  readonly path: string
  /**
   * Who may call it: `anyone`; a `visitor`, who may have no session yet but must come from an allowed host and origin;
   * `viewer`, who has a session or the token; `operator`, who may also change things.
   */
  readonly access: 'anyone' | 'visitor' | 'viewer' | 'operator'
  readonly what: string
}

/** Every route of the server but the page's own files. The security tests are made from it. */
export const ROUTES = {
  healthz: { method: 'GET', path: '/healthz', access: 'anyone', what: 'whether the process answers' },
  openSession: {
    method: 'POST',
    path: '/api/session',
    access: 'visitor',
    what: 'exchanges the token for a cookie',
  },
  feed: { method: 'GET', path: '/api/feed', access: 'viewer', what: 'the WebSocket of the feed' },
  status: { method: 'GET', path: '/api/status', access: 'viewer', what: 'the pool’s status' },
  metrics: { method: 'GET', path: '/api/metrics', access: 'viewer', what: 'the pool’s metrics' },
  health: { method: 'GET', path: '/api/health', access: 'viewer', what: 'the pool’s health' },
  jobs: { method: 'GET', path: '/api/jobs', access: 'viewer', what: 'a page of jobs' },
  job: { method: 'GET', path: '/api/jobs/:id', access: 'viewer', what: 'all about one job' },
  runs: { method: 'GET', path: '/api/runs', access: 'viewer', what: 'the runs that are known' },
  tree: { method: 'GET', path: '/api/runs/:id/tree', access: 'viewer', what: 'the tree of a run' },
  actor: { method: 'GET', path: '/api/actors/:id', access: 'viewer', what: 'an actor and its snapshot' },
  bodyChart: {
    method: 'GET',
    path: '/api/actors/:id/chart',
    access: 'viewer',
    what: 'the chart, laid out, of the machine that a job runs',
  },
  charts: {
    method: 'GET',
    path: '/api/charts',
    access: 'viewer',
    what: 'the machines whose charts there are',
  },
  chart: { method: 'GET', path: '/api/charts/:machine', access: 'viewer', what: 'a laid out chart' },
  chartSvg: { method: 'GET', path: '/api/charts/:machine/svg', access: 'viewer', what: 'a chart as SVG' },
  recording: { method: 'GET', path: '/api/recording', access: 'viewer', what: 'the recording until now' },
  exported: {
    method: 'GET',
    path: '/api/export/:format',
    access: 'viewer',
    what: 'the recording in another format',
  },
  command: { method: 'POST', path: '/api/commands', access: 'operator', what: 'carries out a command' },
} as const satisfies Record<string, Route>

export type RouteName = keyof typeof ROUTES

/** The formats of `api/export/:format`. */
export const EXPORT_FORMATS = ['report.html', 'trace.json', 'jobs.csv', 'events.jsonl', 'tree.mmd'] as const
export type ExportFormat = (typeof EXPORT_FORMATS)[number]
