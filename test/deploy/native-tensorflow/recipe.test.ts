import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { pinnedChecksum, wheelName } from '../../../deploy/native-tensorflow/wheel.js';
import { packageRoot } from '../../../src/config/package-root.js';
import { nativeVersions } from '../../../src/tensorflow/native-location.js';

const read = (file: string) =>
  readFileSync(join(packageRoot, 'deploy', 'native-tensorflow', 'recipe', file), 'utf8');

describe('the recipe of native TensorFlow', () => {
  it('installs the version of tfjs-node that its folder is named after', () => {
    const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string> };
    assert.equal(dependencies['@tensorflow/tfjs-node'], nativeVersions.tfjsNode);
  });

  it('pins an integrity hash for every npm package', () => {
    const { packages } = JSON.parse(read('package-lock.json')) as {
      packages: Record<string, { integrity?: string }>;
    };
    const unpinned = Object.entries(packages).filter(([path, { integrity }]) => path !== '' && !integrity);
    assert.deepEqual(unpinned, []);
    assert.ok(Object.keys(packages).length > 20);
  });

  it('downloads the version of TensorFlow that its folder is named after', () => {
    const requirements = read('requirements.txt');
    assert.ok(requirements.startsWith(`tensorflow-cpu==${nativeVersions.tensorflow} `));
    assert.ok(wheelName.startsWith(`tensorflow_cpu-${nativeVersions.tensorflow}-`));
    assert.match(pinnedChecksum(requirements), /^[0-9a-f]{64}$/);
  });

  it('has the same version of TensorFlow.js as the product', () => {
    const product = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    assert.equal(product.dependencies['@tensorflow/tfjs-core'], nativeVersions.tfjsNode);
  });
});
