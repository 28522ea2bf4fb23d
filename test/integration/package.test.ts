import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { packageRoot } from '../../src/config/package-root.js';

interface Packed {
  readonly files: readonly { readonly path: string }[];
}

describe('the package', () => {
  it('holds what runs and what documents it, and nothing else', () => {
    const output = execFileSync('npm', ['pack', '--json', '--dry-run', '--ignore-scripts'], {
      cwd: packageRoot,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [packed] = JSON.parse(output) as Packed[];
    const paths = packed.files.map(({ path }) => path);
    const odd = paths.filter(
      (path) =>
        !/^dist\/(src|producer|consumer|deploy)\/.*\.m?js$|^dist\/src\/.*\.d\.ts$|^docs\/.*\.md$|^docs\/images\/.*\.svg$/.test(
          path,
        ) &&
        !/^deploy\/.*\.(sh|xml|py|txt|json)$|^deploy\/.*SHA256SUMS$/.test(path) &&
        !/^(package\.json|README\.md|CHANGELOG\.md|LICENSE)$/.test(path),
    );
    assert.deepEqual(odd, []);
    for (const needed of ['dist/src/index.js', 'dist/src/index.d.ts', 'dist/deploy/millrace.js', 'LICENSE']) {
      assert.ok(paths.includes(needed), needed);
    }
  });
});
