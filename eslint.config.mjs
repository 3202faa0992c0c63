import js from '@eslint/js'
import reactHooks from 'eslint-plugin-react-hooks'
import { defineConfig, globalIgnores } from 'eslint/config'
import tseslint from 'typescript-eslint'

const TESTS = ['**/*.test.{ts,tsx}', 'server/test/**', 'web/src/testing/**']

const MAX_FUNCTION_LINES = 70

/**
 * ESLint's max-lines-per-function, but that the functions inside a function count by themselves. Objects
 * here are made by closures: the functions in `createBus` are its methods, and a class is not measured as
 * one function either. What is left in the factory is what a constructor would do.
 */
const functionLines = {
  meta: { type: 'suggestion', schema: [] },
  create(context) {
    const { sourceCode } = context
    const commented = new Set()
    for (const { loc } of sourceCode.getAllComments()) {
      for (let line = loc.start.line; line <= loc.end.line; line += 1) commented.add(line)
    }
    // A comment behind code does not make its line a comment.
    for (const token of sourceCode.ast.tokens) commented.delete(token.loc.start.line)
    const counts = (line) => sourceCode.lines[line - 1].trim() !== '' && !commented.has(line)
    const open = []

    const enter = (node) => {
      const { start, end } = node.loc
      let own = 0
      for (let line = start.line; line <= end.line; line += 1) if (counts(line)) own += 1
      open.push({ own, all: own })
    }
    const exit = (node) => {
      const { own, all } = open.pop()
      const outer = open.at(-1)
      // One line of the outer function names the inner one.
      if (outer) outer.own -= all - 1
      if (own <= MAX_FUNCTION_LINES) return
      const message = `This function has ${own} lines of its own, more than ${MAX_FUNCTION_LINES}`
      context.report({ loc: sourceCode.getFirstToken(node).loc, message })
    }
    const functions = ':matches(FunctionDeclaration, FunctionExpression, ArrowFunctionExpression)'
    return { [functions]: enter, [`${functions}:exit`]: exit }
  },
}

export default defineConfig(
  globalIgnores(['**/dist/', '**/generated/', '**/coverage/', '.data/', '.heddle/']),
  js.configs.recommended,
  tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    plugins: { heddle: { rules: { 'function-lines': functionLines } } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      // A state or outcome that is added must be thought of everywhere; a default branch says it was.
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      // Numbers read well in messages, and "ended with null" is what a signalled process has to say;
      // objects, which read as [object Object], stay errors.
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true, allowNullish: true },
      ],
      // Off: objects here are closures, whose methods know no `this`.
      '@typescript-eslint/unbound-method': 'off',
      // Off: an interface may promise a promise that one of its implementations has no wait in.
      '@typescript-eslint/require-await': 'off',
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      'heddle/function-lines': 'error',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
    },
  },
  {
    files: ['web/**/*.{ts,tsx}'],
    extends: [reactHooks.configs.flat['recommended-latest']],
  },
  {
    files: TESTS,
    rules: {
      // Off: a suite is one function that holds all its examples.
      'heddle/function-lines': 'off',
      // Off: what a server answers has no type until a test has looked at it.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
    },
  },
  {
    files: ['tools/**', 'bench/**'],
    rules: {
      // Off: these are commands, and what they print is their result.
      'no-console': 'off',
    },
  },
  {
    // Off: plain JavaScript has no types that the type-aware rules could look at.
    files: ['**/*.{js,mjs}'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: {
      globals: Object.fromEntries(
        [
          'console',
          'crypto',
          'fetch',
          'process',
          'setInterval',
          'setTimeout',
          'clearInterval',
          'clearTimeout',
          'Blob',
          'Buffer',
          'URL',
          'WebAssembly',
          'AbortController',
          'AbortSignal',
          'structuredClone',
          'performance',
          'document',
          'localStorage',
          'matchMedia',
        ].map((name) => [name, 'readonly']),
      ),
    },
  },
)
