import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nativeTensorFlowFolder, nativeVersions } from '../../src/tensorflow/native-location.js';

describe('the location of native TensorFlow', () => {
  it('is one folder of the cache, named by both versions and the platform', () => {
    assert.equal(
      nativeTensorFlowFolder('/cache', 'linux', 'x64'),
      `/cache/tensorflow-${nativeVersions.tensorflow}-tfjs-${nativeVersions.tfjsNode}-linux-x64`,
    );
  });

  it('differs between platforms that share a cache', () => {
    assert.notEqual(
      nativeTensorFlowFolder('/cache', 'linux', 'x64'),
      nativeTensorFlowFolder('/cache', 'linux', 'arm64'),
    );
  });
});
