import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  missingForBuild,
  requireBuildTools,
  unsupported,
  type Machine,
} from '../../../deploy/native-tensorflow/prerequisites.js';

const linux: Machine = { platform: 'linux', arch: 'x64', glibc: '2.36', system: 'debian' };
const tool = { command: 'tool', version: '1' };

describe('what native TensorFlow needs', () => {
  it('is Linux x64 with the GNU C library', () => {
    assert.equal(unsupported(linux), undefined);
    assert.match(unsupported({ ...linux, arch: 'arm64' })!, /this is linux arm64/);
    assert.match(unsupported({ ...linux, platform: 'darwin' })!, /this is darwin x64/);
    assert.match(unsupported({ ...linux, glibc: undefined })!, /GNU C library/);
  });

  it('is installed by one command for all that is missing', () => {
    const all = { python: tool, compiler: tool, npm: tool };
    assert.equal(missingForBuild(all, 'debian'), undefined);
    assert.equal(
      missingForBuild({ ...all, python: undefined, compiler: undefined }, 'debian'),
      'sudo apt-get install -y python3-pip g++',
    );
    assert.equal(missingForBuild({ ...all, compiler: undefined }, 'fedora'), 'sudo dnf install -y gcc-c++');
  });

  it('is said in one sentence where it cannot be had', async () => {
    await assert.rejects(requireBuildTools({ ...linux, arch: 'arm64' }), {
      code: 'MILLRACE_TENSORFLOW_UNAVAILABLE',
      message: /^Native TensorFlow cannot be set up: .* Linux x64 only, and this is linux arm64\.$/,
    });
  });
});
