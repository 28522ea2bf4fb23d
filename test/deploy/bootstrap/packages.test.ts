import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { installPackages, packagesInstalled } from '../../../deploy/bootstrap/packages.mjs';
import { scratchFolder } from '../../helpers/scratch.js';

const wanted = {
  '': { name: 'project' },
  'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
  'node_modules/other-platform': { version: '1.0.0', integrity: 'sha512-o', optional: true },
};

/** A project whose packages were installed as `installed` says. */
function project(t: TestContext, installed?: object): string {
  const root = scratchFolder(t);
  writeFileSync(join(root, 'package-lock.json'), JSON.stringify({ packages: wanted }));
  mkdirSync(join(root, 'node_modules'));
  if (installed !== undefined) {
    writeFileSync(join(root, 'node_modules', '.package-lock.json'), JSON.stringify({ packages: installed }));
  }
  return root;
}

describe('the packages of a clone', () => {
  it('are not installed through a link, which would empty a folder that others use', async (t) => {
    const [root, other] = [scratchFolder(t), scratchFolder(t)];
    writeFileSync(join(other, 'in-use'), '');
    symlinkSync(other, join(root, 'node_modules'));
    await assert.rejects(installPackages(root), /node_modules is a link/);
    assert.deepEqual(readdirSync(other), ['in-use']);
  });

  it('are installed when npm installed what the lock file says', (t) => {
    const { 'node_modules/a': a } = wanted;
    assert.equal(packagesInstalled(project(t, { 'node_modules/a': a })), true);
  });

  it('are not installed before npm was there', (t) => {
    assert.equal(packagesInstalled(project(t)), false);
  });

  it('are not installed when one is missing, of another version, or another content', (t) => {
    assert.equal(packagesInstalled(project(t, {})), false);
    for (const changed of [
      { version: '1.0.1', integrity: 'sha512-a' },
      { version: '1.0.0', integrity: 'sha512-b' },
    ]) {
      assert.equal(packagesInstalled(project(t, { 'node_modules/a': changed })), false);
    }
  });
});
