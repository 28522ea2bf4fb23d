import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { packageRoot } from '../../src/config/package-root.js';
import { layerTable } from '../../src/model/layer-table.js';

describe('the table of layers', () => {
  it('is the one in the reference: every layer with every option, on its side of the table', () => {
    const page = readFileSync(join(packageRoot, 'docs/reference/models.md'), 'utf8');
    const lines = page.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
    const names = (cell: string) => [...cell.matchAll(/`([A-Za-z]+)`(?! or)/g)].map(([, name]) => name);
    for (const [type, { options }] of Object.entries(layerTable)) {
      const line = lines.find((cells) => cells.length === 5 && cells[1].includes(`\`${type}\``));
      assert.ok(line !== undefined, type);
      const needed = Object.keys(options).filter((name) => !options[name].endsWith('?'));
      assert.deepEqual(names(line[2]), needed, type);
      const optional = Object.keys(options).filter((name) => options[name].endsWith('?'));
      const documented = names(line[3].replaceAll(/\([^)]*\)/g, ''));
      assert.deepEqual(documented.toSorted(), optional.toSorted(), type);
    }
  });
});
