import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { benchmarks } from '../../bench/benchmarks.js';
import { help, parseFlags, quickTable } from '../../bench/command-line.js';
import { compileOptions, defineOptions } from '../../src/config/options.js';

const table = defineOptions({
  numRows: { type: 'integer', default: 100, description: 'Rows' },
  json: { type: 'boolean', default: false, description: 'Print JSON' },
});

describe('the command line of the benchmarks', () => {
  it('takes the flags of a table, by their names in code', () => {
    assert.deepEqual(parseFlags(table, ['--num-rows', '7']), { numRows: '7', json: undefined });
  });

  it('refuses a flag that is not known, and names those that are', () => {
    assert.throws(() => parseFlags(table, ['--rows', '7']), {
      code: 'MILLRACE_CONFIG_INVALID',
      message: /--rows.*; the options are --num-rows, --json\.$/,
    });
  });

  it('takes the smallest setting for --quick, unless a flag says otherwise', () => {
    for (const benchmark of benchmarks) {
      const compiled: Readonly<Record<string, unknown>> = compileOptions(quickTable(benchmark), {});
      for (const [name, value] of Object.entries(benchmark.quick)) assert.deepEqual(compiled[name], value);
    }
  });

  it('lists every benchmark with its options', () => {
    const text = help(benchmarks, table, table);
    for (const { name, summary } of benchmarks) assert.ok(text.includes(`  ${name}: ${summary}\n`));
    assert.match(text, /--num-rows {2}Rows \(default 100\)/);
  });

  it('has no two benchmarks of one name', () => {
    assert.equal(new Set(benchmarks.map(({ name }) => name)).size, benchmarks.length);
  });
});
