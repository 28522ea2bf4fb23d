import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readEnvironment, setEnvironmentDefaults } from '../../src/config/environment.js';

describe('the environment', () => {
  it('takes an empty variable for not set', (t) => {
    t.after(() => delete process.env['MILLRACE_TEST_EMPTY']);
    process.env['MILLRACE_TEST_EMPTY'] = '';
    assert.equal(Object.hasOwn(readEnvironment(), 'MILLRACE_TEST_EMPTY'), false);
    process.env['MILLRACE_TEST_EMPTY'] = '0';
    assert.equal(readEnvironment()['MILLRACE_TEST_EMPTY'], '0');
  });

  it('keeps what is set when it is given defaults', (t) => {
    t.after(() => {
      delete process.env['MILLRACE_TEST_SET'];
      delete process.env['MILLRACE_TEST_UNSET'];
    });
    process.env['MILLRACE_TEST_SET'] = 'mine';
    setEnvironmentDefaults({ MILLRACE_TEST_SET: 'default', MILLRACE_TEST_UNSET: 'default' });
    const { MILLRACE_TEST_SET, MILLRACE_TEST_UNSET } = readEnvironment();
    assert.deepEqual([MILLRACE_TEST_SET, MILLRACE_TEST_UNSET], ['mine', 'default']);
  });
});
