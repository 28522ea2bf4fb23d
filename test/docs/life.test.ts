import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { packageRoot } from '../../src/config/package-root.js';

const folder = join(packageRoot, 'docs/reference');
const page = readFileSync(join(folder, 'life.md'), 'utf8');
const rows = page.split('\n').filter((line) => line.startsWith('| ') && !/^\| (What happens|---)/.test(line));

describe('the table of what happens to a reader', () => {
  it('names a test for every line, by words of its name', () => {
    assert.ok(rows.length > 15);
    for (const row of rows) {
      const tests = [...row.matchAll(/\[([^\]]+)\]\((\.\.\/\.\.\/test\/[^)]+)\)/g)];
      assert.ok(tests.length > 0, row);
      for (const [, words, path] of tests) {
        const file = join(folder, path);
        assert.ok(existsSync(file), `${path} is not there`);
        assert.ok(readFileSync(file, 'utf8').includes(words), `${path} has no test with "${words}"`);
      }
    }
  });
});
