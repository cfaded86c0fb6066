import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** Flat config does not merge the options of a rule: each block says all of its own. */
const noEnvironment = [{ object: 'process', property: 'env', message: 'only app/ reads the environment' }];
const noEnd = [
  { object: 'process', property: 'exit', message: 'only cli/ ends the process' },
  { object: 'process', property: 'stdout', message: 'only cli/ writes to stdout' },
];
const noClock = [
  { object: 'Date', property: 'now', message: 'time is an argument here' },
  { object: 'performance', property: 'now', message: 'time is an argument here' },
];

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', 'node_modules/', 'src/ovsdb/generated/', 'test/fixtures/'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // What `using` holds is held for its end.
      '@typescript-eslint/no-unused-vars': ['error', { ignoreUsingDeclarations: true }],
      // There are no enums here (erasableSyntaxOnly), and it takes the index signature of a mapped type for one.
      '@typescript-eslint/no-unsafe-enum-assignment': 'off',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: false }],
    },
  },
  {
    // Only app/ and cli/ read the environment; only cli/ ends the process or writes to stdout.
    files: ['src/**/*.ts'],
    rules: {
      'no-console': 'error',
      'no-restricted-properties': ['error', ...noEnvironment, ...noEnd],
    },
  },
  {
    files: ['src/app/**/*.ts'],
    rules: { 'no-restricted-properties': ['error', ...noEnd] },
  },
  { files: ['src/cli/**/*.ts'], rules: { 'no-restricted-properties': 'off' } },
  {
    // No I/O, no clock: time is an argument.
    files: [
      'src/units/**/*.ts',
      'src/topology/**/*.ts',
      'src/output/**/*.ts',
      'src/filter/**/*.ts',
      'src/traffic/averages.ts',
      'src/traffic/rates.ts',
      'src/traffic/pairs/**/*.ts',
      'src/traffic/trace/**/*.ts',
      'src/netflow/**/*.ts',
      'src/ipfix/**/*.ts',
      'src/sflow/**/*.ts',
      'src/jsonrpc/framing.ts',
      'src/jsonrpc/reconnect.ts',
      'src/openflow/codec.ts',
      'src/switch/*diff.ts',
      'src/switch/pipeline/*diff.ts',
      'src/switch/pipeline/pipeline{,bridge,diff,preview,vlan}.ts',
      'src/host/{diff,notes,obstacles,specs,commands}.ts',
    ],
    rules: {
      'no-restricted-properties': ['error', ...noEnvironment, ...noEnd, ...noClock],
      'no-restricted-syntax': [
        'error',
        {
          selector: 'NewExpression[callee.name="Date"][arguments.length=0]',
          message: 'time is an argument here',
        },
      ],
    },
  },
  {
    files: ['test/**/*.ts'],
    // chai's property assertions are expressions
    rules: { '@typescript-eslint/no-unused-expressions': 'off' },
  },
  {
    files: ['**/*.js', '**/*.cjs', '**/*.mjs'],
    languageOptions: {
      globals: {
        performance: 'readonly',
        Buffer: 'readonly',
        process: 'readonly',
        console: 'readonly',
        require: 'readonly',
        module: 'writable',
      },
    },
  },
);
