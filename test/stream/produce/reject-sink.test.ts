import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { OutgoingRecord } from '../../../src/stream/publisher/produce-request.js';
import { RecordTooLargeError } from '../../../src/stream/publisher/publisher.js';
import { createDeadLetterSink, openRejectFile } from '../../../src/stream/produce/reject-sink.js';
import { scratchFolder } from '../../helpers/scratch.js';

const reject = (raw: string, line: number) => ({
  file: 'rows.csv',
  line,
  raw: Buffer.from(raw),
  fault: { code: 'MILLRACE_ROW_FIELD_COUNT' as const, message: 'Too few.' },
});

describe('rejected rows', () => {
  it('go to a file as they stood, under the header, and to none when there are none', async (t) => {
    const path = join(scratchFolder(t), 'rejects.csv');
    const sink = await openRejectFile(path, Buffer.from('a,b'));
    await sink.flush();
    assert.ok(!existsSync(path));
    await sink.write(reject('1', 2));
    await sink.write(reject('"x\ny",', 5));
    await sink.close();
    assert.equal(readFileSync(path, 'utf8'), 'a,b\n1\n"x\ny",\n');
  });

  it('go on in the file behind what is known to be in it', async (t) => {
    const path = join(scratchFolder(t), 'rejects.csv');
    writeFileSync(path, 'a,b\n1\nlost');
    const sink = await openRejectFile(path, Buffer.from('a,b'), 6);
    await sink.write(reject('2', 3));
    assert.equal(sink.numBytes, 8);
    await sink.flush();
    assert.equal(readFileSync(path, 'utf8'), 'a,b\n1\n2\n');
    await sink.close();
    await assert.rejects(openRejectFile(path, undefined, 9), { code: 'MILLRACE_INPUT_CHANGED' });
    assert.equal(readFileSync(path, 'utf8'), 'a,b\n1\n2\n');
  });

  it('say when their file cannot be written', async (t) => {
    const sink = await openRejectFile(join(scratchFolder(t), 'none', 'rejects.csv'), undefined);
    await assert.rejects(sink.write(reject('1', 2)), { code: 'MILLRACE_FILE_UNUSABLE' });
    await sink.close();
  });

  it('go to the dead-letter topic many at a time, with file, line and reason', async () => {
    const calls: OutgoingRecord[][] = [];
    const sink = createDeadLetterSink('t.dlq', {
      send: (records) => Promise.resolve(void calls.push([...records])),
    });
    for (let line = 1; line <= 501; line++) await sink.write(reject(`row ${line}`, line));
    await sink.flush();
    assert.deepEqual(
      calls.map((records) => records.length),
      [500, 1],
    );
    const [letter] = calls[0];
    assert.equal(letter.topic, 't.dlq');
    assert.equal(String(letter.value), 'row 1');
    assert.equal(letter.headers?.['millrace.source.file'], 'rows.csv');
    assert.equal(letter.headers?.['millrace.source.line'], '1');
    assert.equal(letter.headers?.['millrace.error.code'], 'MILLRACE_ROW_FIELD_COUNT');
    assert.equal(letter.headers?.['__connect.errors.exception.message'], 'Too few.');
  });

  it('leave their content behind when even the dead-letter topic finds them too large', async () => {
    const calls: OutgoingRecord[][] = [];
    const sink = createDeadLetterSink('t.dlq', {
      send(records) {
        calls.push([...records]);
        return calls.length === 1
          ? Promise.reject(new RecordTooLargeError([1], ['t.dlq']))
          : Promise.resolve();
      },
    });
    for (const line of [1, 2, 3]) await sink.write(reject('row', line));
    await sink.flush();
    assert.equal(calls[1].length, 1);
    assert.equal(calls[1][0].value, null);
    assert.equal(calls[1][0].headers?.['millrace.source.line'], '2');
  });
});
