/**
 * Who may import whom, as docs/architecture.md draws it: `pnpm arch` fails on a breach. Cycles are errors,
 * type-only ones too, because two files that need each other's types cannot be read one after the other.
 */
const mayImport = {
  core: [],
  'job-types': ['core'],
  workers: ['core', 'job-types'],
  store: ['core'],
  bus: ['core'],
  scheduler: ['core', 'job-types', 'workers', 'store', 'bus'],
  api: ['core', 'job-types', 'scheduler', 'bus', 'store/read'],
}
/** What prisma makes is the store's own. */
const seesGenerated = ['store']
/** Pure and light layers do not even log. */
const seesLog = (layer) => !['core', 'job-types'].includes(layer)

const src = '^server/src/'
const tests = '(\\.test\\.tsx?|/testing\\.ts|^web/src/testing/.*)$'
const rule = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to })
const target = (layer) => (layer.includes('/') ? `${layer}\\.ts$` : `${layer}/`)

const layerRules = Object.entries(mayImport).map(([layer, others]) => {
  const allowed = [
    ...[layer, ...others].map(target),
    ...(seesGenerated.includes(layer) ? ['generated/'] : []),
    ...(seesLog(layer) ? ['log\\.ts$'] : []),
  ]
  return rule(
    `${layer}-imports`,
    `${layer} may import ${others.length > 0 ? others.join(', ') : 'nothing else of ours'}`,
    { path: `${src}${layer}/`, pathNot: tests },
    { path: src, pathNot: `${src}(${allowed.join('|')})` },
  )
})

export default {
  forbidden: [
    rule(
      'no-cycles',
      'files that import each other cannot be read in an order',
      {},
      { circular: true },
    ),
    rule(
      'core-is-pure',
      'core decides from its arguments alone: no package, no node:, no file of another layer',
      { path: `${src}core/`, pathNot: tests },
      { pathNot: `${src}core/` },
    ),
    ...layerRules,
    rule(
      'app-is-the-top',
      'app.ts and main.ts put the layers together; only tests start them',
      { path: src, pathNot: `(${src}(main|app|signals)\\.ts$|${tests})` },
      { path: `${src}(app|main|config|signals)\\.ts$` },
    ),
    rule(
      'web-features-stay-apart',
      'a feature imports ui and graphql, never another feature: app.tsx is where they meet',
      { path: '^web/src/([^/]+)/', pathNot: tests },
      { path: '^web/src/[^/]+/', pathNot: '^web/src/($1|ui|graphql)/' },
    ),
    rule(
      'web-ui-knows-no-graphql',
      'ui gets plain props',
      { path: '^web/src/ui/', pathNot: tests },
      { path: '^web/src/(?!ui/)' },
    ),
    rule(
      'web-never-imports-server',
      'types cross this border by codegen only',
      { path: '^web/' },
      { path: '^server/' },
    ),
    rule(
      'server-never-imports-web',
      'it only serves what was built',
      { path: '^server/' },
      { path: '^web/' },
    ),
    rule(
      'resolvable',
      'every import finds its file',
      { pathNot: 'generated/' },
      { couldNotResolve: true },
    ),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: ['node_modules', 'generated'] },
    exclude: { path: '/dist/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
}
