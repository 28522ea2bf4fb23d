import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fetchWheel, pinnedChecksum, wheelName } from '../../../deploy/native-tensorflow/wheel.js';
import { MillraceError } from '../../../src/errors.js';
import { scratchFolder } from '../../helpers/scratch.js';

const content = 'the wheel';
const checksum = createHash('sha256').update(content).digest('hex');

/** A folder for wheels, and a stand-in for Python whose pip "downloads" `served` and counts how often it did. */
function setting(t: TestContext, served = content) {
  const root = scratchFolder(t);
  const requirements = join(root, 'requirements.txt');
  writeFileSync(requirements, `tensorflow-cpu==2.12.1 --hash=sha256:${checksum}\n`);
  const folder = join(root, 'downloads');
  mkdirSync(folder);
  const command = join(root, 'python');
  const calls = join(root, 'calls');
  writeFileSync(
    command,
    `#!/bin/sh\necho "$@" >> '${calls}'\n[ -d "$TMPDIR" ] || exit 9\nprintf '%s' '${served}' > '${join(folder, wheelName)}'\n`,
  );
  chmodSync(command, 0o755);
  return {
    folder,
    wheel: join(folder, wheelName),
    fetch: () => fetchWheel({ command, version: '1' }, requirements, folder, () => {}),
    numCalls: () => (existsSync(calls) ? readFileSync(calls, 'utf8').trimEnd().split('\n').length : 0),
  };
}

describe('the wheel of TensorFlow', () => {
  it('is downloaded and checked', async (t) => {
    const { fetch, wheel, folder, numCalls } = setting(t);
    assert.equal(await fetch(), wheel);
    assert.equal(readFileSync(wheel, 'utf8'), content);
    assert.deepEqual(readdirSync(folder), [wheelName]);
    assert.equal(numCalls(), 1);
  });

  it('is taken as it is when a set-up was interrupted after the download', async (t) => {
    const { fetch, wheel, numCalls } = setting(t);
    writeFileSync(wheel, content);
    assert.equal(await fetch(), wheel);
    assert.equal(numCalls(), 0);
  });

  it('is fetched again when it is damaged or only a part', async (t) => {
    const { fetch, wheel, folder, numCalls } = setting(t);
    writeFileSync(wheel, content.slice(0, 3));
    mkdirSync(join(folder, 'partial'));
    writeFileSync(join(folder, 'partial', 'left-over'), 'half a wheel');
    await fetch();
    assert.equal(readFileSync(wheel, 'utf8'), content);
    assert.deepEqual(readdirSync(folder), [wheelName]);
    assert.equal(numCalls(), 1);
  });

  it('is refused when it is not the one that is pinned', async (t) => {
    const { fetch } = setting(t, 'something else');
    await assert.rejects(fetch(), (error) => {
      assert.ok(error instanceof MillraceError);
      assert.equal(error.code, 'MILLRACE_TENSORFLOW_UNAVAILABLE');
      assert.equal(error.facts['expected'], checksum);
      return true;
    });
  });

  it('has a checksum in requirements.txt, or nothing is fetched', () => {
    assert.equal(pinnedChecksum(`a==1 --hash=sha256:${checksum}\n`), checksum);
    assert.throws(() => pinnedChecksum('a==1\n'), { code: 'MILLRACE_INTERNAL' });
  });
});
