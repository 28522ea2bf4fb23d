import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { crashSentence } from '../../../src/stream/source/crash-reason.js';

const reading = { topic: 'observations', group: 'scoring' };
const protocolError = (type: string) => Object.assign(new Error('as the client says it.'), { type });

describe('the end of a consumer', () => {
  it('is said with what to do, when that is known', () => {
    const cases: [type: string, remedy: RegExp][] = [
      ['GROUP_AUTHORIZATION_FAILED', /allow READ on the group "scoring", or choose another --group\.$/],
      ['TOPIC_AUTHORIZATION_FAILED', /allow READ and DESCRIBE on the topic "observations"\.$/],
      ['INCONSISTENT_GROUP_PROTOCOL', /choose another --group\.$/],
      ['INVALID_SESSION_TIMEOUT', /--session-timeout-ms/],
    ];
    for (const [type, remedy] of cases) {
      assert.match(crashSentence(protocolError(type), reading), remedy);
    }
  });

  it('is otherwise said in the words of the client, in one sentence', () => {
    assert.equal(
      crashSentence(protocolError('SOMETHING_ELSE'), reading),
      'The consumer of group "scoring" ended: as the client says it.',
    );
  });
});
