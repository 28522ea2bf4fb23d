import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { globSync } from 'tinyglobby';
import { generatedPages } from '../../docs/generator/pages.js';
import { programs } from '../../deploy/programs.js';
import { packageRoot } from '../../src/config/package-root.js';
import { environmentName } from '../../src/config/options.js';

describe('the reference', () => {
  it('is what the tables say; npm run docs brings it up to date', async () => {
    for (const [path, text] of await generatedPages()) {
      assert.equal(readFileSync(join(packageRoot, path), 'utf8'), text, path);
    }
  });

  it('has every environment variable of every program', async () => {
    const pages = await generatedPages();
    const names = programs.flatMap((program) => Object.keys(program.options).map(environmentName));
    for (const path of ['.env.example', 'docs/reference/configuration.md']) {
      const missing = names.filter((name) => !pages.get(path)!.includes(name));
      assert.deepEqual(missing, [], path);
    }
  });

  it('has no links that lead nowhere', () => {
    for (const page of globSync(['*.md', 'docs/**/*.md'], { cwd: packageRoot })) {
      const text = readFileSync(join(packageRoot, page), 'utf8');
      for (const [, target] of text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
        if (/^[a-z]+:/.test(target)) continue;
        assert.ok(existsSync(join(packageRoot, dirname(page), target)), `${page} links to ${target}`);
      }
    }
  });
});
