import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, it } from 'node:test';
import { checkBackend } from '../../deploy/native-tensorflow/check-backend.js';
import { nativeTensorFlowFolder } from '../../src/tensorflow/native-location.js';
import { runProgram, startProgram } from '../helpers/program.js';
import { scratchFolder } from '../helpers/scratch.js';

const args = ['setup', '--backend', 'native'];

describe('the set-up of native TensorFlow', () => {
  it('ends with one build when two begin at once', async (t) => {
    const cache = scratchFolder(t);
    const runs = await Promise.all([1, 2].map(() => runProgram(args, { MILLRACE_CACHE: cache })));
    assert.deepEqual(
      runs.map(({ code }) => code),
      [0, 0],
    );
    assert.equal(runs.filter(({ stderr }) => stderr.includes('compiling the addon')).length, 1);
    assert.equal(runs.filter(({ stderr }) => stderr.includes('waiting for another set-up')).length, 1);
    await checkBackend({ nativeFolder: nativeTensorFlowFolder(cache) });
  });

  it('is finished by the next one when it is killed, wherever it was', async (t) => {
    const cache = scratchFolder(t);
    for (const step of ['downloading TensorFlow', 'unpacking TensorFlow', 'compiling the addon']) {
      const { child, result } = startProgram(args, { MILLRACE_CACHE: cache });
      child.stderr!.on('data', (text: string) => {
        if (text.includes(step)) child.kill('SIGKILL');
      });
      assert.equal((await result).code, null, `it was killed while ${step}`);
      assert.ok(!readdirSync(cache).includes(basename(nativeTensorFlowFolder(cache))));
    }
    assert.equal((await runProgram(args, { MILLRACE_CACHE: cache })).code, 0);
    await checkBackend({ nativeFolder: nativeTensorFlowFolder(cache) });
    assert.deepEqual(readdirSync(cache).sort(), ['downloads', basename(nativeTensorFlowFolder(cache))]);
  });
});
