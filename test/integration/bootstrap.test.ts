import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { packageRoot } from '../../src/config/package-root.js';
import { readEnvironment } from '../../src/config/environment.js';

async function bootstrap(...args: string[]) {
  // A test runner inside of a test would take itself for a part of it.
  const { NODE_TEST_CONTEXT: _context, ...environment } = readEnvironment();
  const child = spawn(process.execPath, [join(packageRoot, 'deploy', 'bootstrap.mjs'), ...args], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

describe('the way in', () => {
  it('installs and builds nothing the second time, and becomes what was asked for', async () => {
    const { code, stdout, stderr } = await bootstrap('test', 'test/deploy/install-hints.test.ts');
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /ℹ pass [1-9]\d*\n.*ℹ fail 0\n/);
  });

  it('passes the exit code on', async () => {
    const { code, stderr } = await bootstrap('test', '--no-such-suite');
    assert.equal(code, 1);
    assert.match(stderr, /^millrace: --no-such-suite is no suite/);
  });

  it('says what it can do', async () => {
    const { code, stderr } = await bootstrap('nonsense');
    assert.deepEqual(
      [code, stderr],
      [2, 'millrace: give one of start, test, test-nodes, bench, as "npm start" and "npm test" do.\n'],
    );
  });
});
