import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { installCommand, systemOf } from '../../deploy/install-hints.js';

describe('the hint to install something', () => {
  it('is a command of the system', () => {
    assert.equal(
      installCommand(['java', 'maven'], 'debian'),
      'sudo apt-get install -y openjdk-17-jre-headless maven',
    );
    assert.equal(installCommand(['compiler'], 'macos'), 'brew install gcc');
    assert.equal(installCommand(['python'], 'alpine'), 'sudo apk add py3-pip');
  });

  it('is words where the system is not known', () => {
    assert.equal(installCommand(['java', 'maven'], 'other'), 'install Java 17 or newer and Apache Maven');
  });

  it('knows a system by its ID or by what it is like', () => {
    assert.equal(systemOf('NAME="Debian GNU/Linux"\nID=debian\n'), 'debian');
    assert.equal(systemOf('ID=linuxmint\nID_LIKE="ubuntu debian"\n'), 'debian');
    assert.equal(systemOf('ID="rocky"\nID_LIKE="rhel centos fedora"\n'), 'fedora');
    assert.equal(systemOf('ID=alpine\n'), 'alpine');
    assert.equal(systemOf('ID=nixos\n'), 'other');
  });
});
