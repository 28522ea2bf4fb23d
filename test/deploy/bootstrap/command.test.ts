import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CommandError, runCommand } from '../../../deploy/bootstrap/command.mjs';

const node = (script: string) => runCommand(process.execPath, ['-e', script]);

describe('a command', () => {
  it('resolves to its standard output alone', async () => {
    assert.equal(await node('console.log("out"); console.error("err")'), 'out\n');
  });

  it('fails with its code and the last line that it wrote', async () => {
    await assert.rejects(node('console.error("first\\nwhy it failed"); process.exit(3)'), (error) => {
      assert.ok(error instanceof CommandError);
      assert.equal(error.code, 3);
      assert.match(error.message, /ended with 3: why it failed$/);
      assert.equal(error.output, 'first\nwhy it failed\n');
      return true;
    });
  });

  it('that is not there cannot be started', async () => {
    await assert.rejects(runCommand('/no/such/command', []), {
      message: '/no/such/command cannot be started',
    });
  });

  it('that takes too long is ended', async () => {
    const endless = runCommand(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { timeoutMs: 50 });
    await assert.rejects(endless, { code: 'SIGTERM' });
  });

  it('keeps the end of an output that is very long', async () => {
    const output = await node('process.stdout.write("x".repeat(200_000) + "end")');
    assert.equal(output.length, 64_000);
    assert.ok(output.endsWith('end'));
  });
});
