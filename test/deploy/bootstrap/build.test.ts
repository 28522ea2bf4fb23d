import assert from 'node:assert/strict';
import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { isBuilt } from '../../../deploy/bootstrap/build.mjs';
import { scratchFolder } from '../../helpers/scratch.js';

const [past, built, future] = [1_000, 2_000, 3_000];

/** A project with one source, built after everything in it was last changed. */
function project(t: TestContext): string {
  const root = scratchFolder(t);
  mkdirSync(join(root, 'src', 'deep'), { recursive: true });
  mkdirSync(join(root, 'dist'));
  writeFileSync(join(root, 'src', 'deep', 'a.ts'), '');
  writeFileSync(join(root, 'dist', '.built'), '');
  for (const path of ['src/deep/a.ts', 'src/deep', 'src']) utimesSync(join(root, path), past, past);
  utimesSync(join(root, 'dist', '.built'), built, built);
  return root;
}

describe('a build', () => {
  it('is up to date when nothing changed since', (t) => {
    assert.equal(isBuilt(project(t)), true);
  });

  it('is out of date before the first one', (t) => {
    const root = project(t);
    rmSync(join(root, 'dist'), { recursive: true });
    assert.equal(isBuilt(root), false);
  });

  it('is out of date when a file deep inside changed', (t) => {
    const root = project(t);
    utimesSync(join(root, 'src', 'deep', 'a.ts'), future, future);
    assert.equal(isBuilt(root), false);
  });

  it('is out of date when a file was removed', (t) => {
    const root = project(t);
    rmSync(join(root, 'src', 'deep', 'a.ts'));
    assert.equal(isBuilt(root), false);
  });
});
