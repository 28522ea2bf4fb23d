import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { describe, it, mock } from 'node:test';
import { listenForShutdown } from '../../src/telemetry/shutdown.js';

class FakeProcess extends EventEmitter {
  readonly exits: number[] = [];
  exit(code: number): void {
    this.exits.push(code);
  }
}

function listening(t: { after(hook: () => void): void }) {
  let now = 0;
  const clock = mock.method(performance, 'now', () => now);
  t.after(() => clock.mock.restore());
  const source = new FakeProcess();
  const lines: string[] = [];
  let finish!: (code: number) => void;
  const finished = new Promise<number>((resolve) => (finish = resolve));
  const signal = listenForShutdown(finished, 60_000, (line) => lines.push(line), source);
  return { source, lines, finish, signal, advance: (ms: number) => (now += ms) };
}
/** Lets every promise that is settled run its reactions. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('shutdown', () => {
  for (const event of ['SIGINT', 'SIGTERM', 'disconnect']) {
    it(`drains at the first ${event} and ends with the code of the work`, async (t) => {
      const { source, finish, signal } = listening(t);
      source.emit(event, event);
      assert.equal(signal.aborted, true);
      await settled();
      assert.deepEqual(source.exits, []);
      finish(3);
      await settled();
      assert.deepEqual(source.exits, [3]);
    });
  }

  it('ends at once at a second signal', (t) => {
    const { source, advance, lines } = listening(t);
    source.emit('SIGTERM', 'SIGTERM');
    advance(1000);
    source.emit('SIGTERM', 'SIGTERM');
    assert.deepEqual(source.exits, [1]);
    assert.match(lines[0], /second SIGTERM/);
  });

  it('takes a signal that npm passed on for the one it was', (t) => {
    const { source, advance } = listening(t);
    source.emit('SIGINT', 'SIGINT');
    advance(20);
    source.emit('SIGINT', 'SIGINT');
    assert.deepEqual(source.exits, []);
  });

  it('drains after a fault that nobody caught and ends with code 1', async (t) => {
    const { source, finish, signal, lines } = listening(t);
    source.emit('uncaughtException', new Error('boom'));
    assert.equal(signal.aborted, true);
    finish(0);
    await settled();
    assert.deepEqual(source.exits, [1]);
    assert.match(lines[0], /boom/);
  });

  it('ends with code 1 when the deadline passes', async () => {
    const source = new FakeProcess();
    const exited = new Promise<void>((resolve) => {
      source.exit = (code) => {
        source.exits.push(code);
        resolve();
      };
    });
    listenForShutdown(new Promise(() => {}), 5, () => {}, source);
    source.emit('SIGTERM', 'SIGTERM');
    // The deadline's timer keeps nothing alive by itself.
    const alive = setInterval(() => {}, 1000);
    await exited;
    clearInterval(alive);
    assert.deepEqual(source.exits, [1]);
  });
});
