import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Steps } from '../../../deploy/bootstrap/steps.mjs';

function stream(isTTY: boolean, columns = 80) {
  const written: string[] = [];
  return { isTTY, columns, written, write: (text: string) => written.push(text) };
}

describe('the steps of a set-up', () => {
  it('stand at start and end with number and time where there is no terminal', async () => {
    const out = stream(false);
    const steps = new Steps(out, 2);
    assert.equal(await steps.run('one', () => Promise.resolve('result')), 'result');
    await steps.run('two', () => Promise.resolve());
    assert.deepEqual(
      out.written.map((line) => line.replace(/\d\.\d s/, 'TIME')),
      [
        'millrace: one (1/2) …\n',
        'millrace: one (1/2) … TIME\n',
        'millrace: two (2/2) …\n',
        'millrace: two (2/2) … TIME\n',
      ],
    );
  });

  it('say when one fails, and pass the error on', async () => {
    const out = stream(false);
    await assert.rejects(
      new Steps(out, 1).run('one', () => Promise.reject(new Error('broken'))),
      /broken/,
    );
    assert.equal(out.written.at(-1), 'millrace: one … failed\n');
  });

  it('are redrawn in place on a terminal, never wider than it', async () => {
    const out = stream(true, 20);
    await new Steps(out, 1).run('a title that is long', (detail) => {
      detail('far');
      return Promise.resolve();
    });
    assert.ok(out.written.every((text) => text.startsWith('\r\x1b[2K')));
    assert.equal(out.written[0].replace('\r\x1b[2K', ''), 'millrace: a title t');
    assert.match(out.written.at(-1)!, /a title that is long … \d\.\d s\n$/);
  });
});
