import type { CodegenConfig } from '@graphql-codegen/cli'

const config: CodegenConfig = {
  // Printed by `pnpm schema` and committed: no server and no database is needed, and it diffs in review.
  schema: 'server/schema.graphql',
  documents: ['web/src/**/*.{ts,tsx}', '!web/src/graphql/generated/**'],
  ignoreNoDocuments: true,
  generates: {
    'web/src/graphql/generated/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: {
        useTypeImports: true,
        enumType: 'string-literal',
        strictScalars: true,
        scalars: { DateTime: 'string', JSON: 'unknown' },
      },
    },
    'web/src/graphql/generated/introspection.json': {
      plugins: ['introspection'],
      config: { minify: true },
    },
  },
}
export default config
