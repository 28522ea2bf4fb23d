import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** Each outside library lives behind one folder; it is refused everywhere else. */
const homes = {
  kafkajs: 'src/stream',
  avsc: 'src/record',
  'prom-client': 'src/telemetry',
  pino: 'src/telemetry',
  'pino-pretty': 'src/telemetry',
  'log-update': 'src/telemetry',
  fastify: 'src/web',
  commander: 'deploy',
};
const patterns = { '@tensorflow/*': 'src/tensorflow', '@fastify/*': 'src/web' };

const folders = [...new Set([...Object.values(homes), ...Object.values(patterns)])];
const restriction = (folder) => ({
  paths: Object.entries(homes)
    .filter(([, home]) => home !== folder)
    .map(([name, home]) => ({ name, message: `${name} lives in ${home} only.`, allowTypeImports: true })),
  patterns: Object.entries(patterns)
    .filter(([, home]) => home !== folder)
    .map(([group, home]) => ({ group: [group], message: `${group} lives in ${home} only.` })),
});

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/'] },
  js.configs.recommended,
  {
    files: ['**/*.{js,mjs}'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        Buffer: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        setInterval: 'readonly',
        clearInterval: 'readonly',
        performance: 'readonly',
      },
    },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-restricted-imports': ['error', restriction(undefined)],
      'no-console': 'error',
      eqeqeq: 'error',
    },
  },
  ...folders.map((folder) => ({
    files: [`${folder}/**/*.ts`],
    rules: { '@typescript-eslint/no-restricted-imports': ['error', restriction(folder)] },
  })),
  {
    files: ['test/**/*.ts', 'bench/**/*.ts'],
    rules: {
      // node:test's describe and it return promises that the runner itself awaits.
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            {
              from: 'package',
              name: ['describe', 'it', 'test', 'suite', 'before', 'after', 'beforeEach', 'afterEach'],
              package: 'node:test',
            },
          ],
        },
      ],
      '@typescript-eslint/no-restricted-imports': 'off',
      'no-console': 'off',
    },
  },
);
