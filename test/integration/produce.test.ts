import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import avro from 'avsc';
import { collisionEvents, collisionSchema } from '../../src/simulation/collision-events.js';
import { csvHeader, csvLine } from '../../src/record/csv-writer.js';
import { testBrokers, uniqueName } from '../helpers/broker.js';
import { headerOf, jsonOf, readTopic, untilTopicHolds } from '../helpers/kcat.js';
import { runProgram, startProgram, type ProgramResult } from '../helpers/program.js';
import { startFakeRegistry } from '../helpers/registry.js';
import { scratchFolder } from '../helpers/scratch.js';
import { missingTool } from '../helpers/tool.js';

const skip = missingTool('kcat');

function produce(args: readonly string[], input?: string): Promise<ProgramResult> {
  return runProgram(['produce', ...args], { MILLRACE_BROKERS: testBrokers().join(',') }, input);
}

/** Simulated events as CSV, beginning with the given one. */
function events(count: number, from = 0): string {
  const all = collisionEvents(5);
  for (let i = 0; i < from; i++) all.next();
  const lines = Array.from({ length: count }, () => csvLine(all.next().value, collisionSchema));
  return csvHeader(collisionSchema) + lines.join('');
}

describe('produce', () => {
  it('sends every row of several files, keyed and spread over the partitions', { skip }, async (t) => {
    const folder = scratchFolder(t);
    const topic = uniqueName('produce');
    writeFileSync(join(folder, 'a.csv'), events(1_000));
    writeFileSync(join(folder, 'b.csv.gz'), gzipSync(events(1_000, 1_000)));
    const { code, stdout, stderr } = await produce([
      ...[join(folder, '*.csv*'), '--topic', topic, '--partitions', '4', '--compression', 'gzip'],
      ...['--key', 'EventId', '--label', 'Label', '--drop', 'Weight'],
    ]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, new RegExp(`^2,000 rows \\(.* MB\\) to ${topic} in .* rows/s; 0 rejected\n$`));
    const records = await readTopic(topic);
    assert.equal(records.length, 2_000);
    assert.equal(new Set(records.map(({ partition }) => partition)).size, 4);
    const byKey = new Map(records.map((record) => [String(record.key), jsonOf<object>(record)]));
    const expected = collisionEvents(5);
    for (let i = 0; i < 2_000; i++) {
      const { Weight: _, ...event } = expected.next().value;
      assert.deepEqual(byKey.get(String(100_000 + i)), event);
    }
    assert.deepEqual(await readTopic(`${topic}.dlq`), []);
  });

  it('writes rows that do not fit whole to the dead-letter topic, and goes on', { skip }, async (t) => {
    const file = join(scratchFolder(t), 'poison.csv');
    const topic = uniqueName('produce');
    const good = ['1,0.5,s', '2,-1e3,b', '"3","7","s"', '4,8,"b, or so"'];
    const poison: [row: string, line: number, code: string][] = [
      ['5', 3, 'MILLRACE_ROW_FIELD_COUNT'],
      ['6,1,s,extra', 4, 'MILLRACE_ROW_FIELD_COUNT'],
      ['7,abc,s', 5, 'MILLRACE_ROW_FIELD_TYPE'],
      ['8,,s', 6, 'MILLRACE_ROW_FIELD_TYPE'],
      ['9,NaN,s', 7, 'MILLRACE_ROW_FIELD_TYPE'],
      ['10,inf,s', 8, 'MILLRACE_ROW_NOT_FINITE'],
      ['11,1e999,s', 9, 'MILLRACE_ROW_NOT_FINITE'],
      ['12,0x10,s', 10, 'MILLRACE_ROW_FIELD_TYPE'],
      ['13,"1"2,s', 11, 'MILLRACE_ROW_UNDECODABLE'],
      ['14,"1,s', 12, 'MILLRACE_ROW_UNDECODABLE'],
      ['1.5,1,s', 13, 'MILLRACE_ROW_FIELD_TYPE'],
      [`15,1,${'x'.repeat(2_000)}`, 14, 'MILLRACE_ROW_TOO_LARGE'],
    ];
    const rows = ['id,x,y', good[0], ...poison.map(([row]) => row), ...good.slice(1)];
    writeFileSync(file, `\ufeff${rows.join('\r\n')}\r\n`);
    const args = [file, '--topic', topic, '--partitions', '1', '--key', 'id', '--max-row-bytes', '1000'];
    const { code, stdout, stderr } = await produce([...args, '--types', 'id=int,x=double,y=string']);
    assert.equal(code, 3, stderr);
    assert.match(stdout, new RegExp(`^4 rows .* 12 rejected, to ${topic}\\.dlq\n$`));
    assert.ok(
      stderr.includes(`${file}:5: The field "x" must be a number, not "abc". [MILLRACE_ROW_FIELD_TYPE]`),
    );
    assert.deepEqual(
      (await readTopic(topic)).map((record) => [String(record.key), jsonOf(record)]),
      [
        ['1', { id: 1, x: 0.5, y: 's' }],
        ['2', { id: 2, x: -1000, y: 'b' }],
        ['3', { id: 3, x: 7, y: 's' }],
        ['4', { id: 4, x: 8, y: 'b, or so' }],
      ],
    );
    const letters = await readTopic(`${topic}.dlq`);
    assert.deepEqual(
      letters.map((letter) => [
        String(letter.value),
        Number(headerOf(letter, 'millrace.source.line')),
        headerOf(letter, 'millrace.error.code'),
      ]),
      poison.map(([row, line, expected]) => [row.slice(0, 1_000), line, expected]),
    );
    assert.equal(headerOf(letters[0], 'millrace.source.file'), file);
    assert.equal(headerOf(letters[0], '__connect.errors.exception.class.name'), 'MILLRACE_ROW_FIELD_COUNT');
    assert.equal(
      headerOf(letters[0], '__connect.errors.exception.message'),
      // What is behind the comma is another header to this reader.
      'The row has 1 fields',
    );
  });

  it('writes rejects to a file instead, which can be mended and produced', { skip }, async (t) => {
    const folder = scratchFolder(t);
    const [file, rejects] = [join(folder, 'rows.csv'), join(folder, 'rejects.csv')];
    const topic = uniqueName('produce');
    writeFileSync(file, 'a,b\n1,2\n3\n');
    const { code } = await produce([file, '--topic', topic, '--partitions', '1', '--rejects', rejects]);
    assert.equal(code, 3);
    assert.equal(readFileSync(rejects, 'utf8'), 'a,b\n3\n');
    assert.equal((await readTopic(topic)).length, 1);
    const onto = await produce([file, '--topic', topic, '--rejects', file]);
    assert.equal(onto.code, 2);
    assert.equal(readFileSync(file, 'utf8'), 'a,b\n1,2\n3\n');
  });

  it('writes Avro that others read with the schema of the registry', { skip }, async (t) => {
    const registry = await startFakeRegistry(t);
    const topic = uniqueName('produce');
    const { code, stderr } = await produce(
      [
        ...['-', '--topic', topic, '--partitions', '1', '--key', 'id', '--format', 'avro'],
        ...['--registry', registry.url, '--registry-auth', 'ada:lovelace'],
      ],
      'id,x,y\n1,0.1,s\n2,,b\n',
    );
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^Avro schema: \{"type":"record","name":"observation",/);
    assert.equal(registry.requests[0].path, `/api/subjects/${topic}-value/versions`);
    const schema = JSON.parse(registry.schemas.get(1)!.schema) as avro.schema.AvroSchema;
    const values = (await readTopic(topic)).map(({ value }) => value!);
    assert.deepEqual(
      values.map((value) => value.subarray(0, 5)),
      [Buffer.from([0, 0, 0, 0, 1]), Buffer.from([0, 0, 0, 0, 1])],
    );
    assert.deepEqual(
      values.map((value) => ({ ...(avro.Type.forSchema(schema).fromBuffer(value.subarray(5)) as object) })),
      [
        { id: 1, x: 0.1, y: 's' },
        { id: 2, x: null, y: 'b' },
      ],
    );
  });

  it('keeps Avro schemas in a folder when there is no registry', { skip }, async (t) => {
    const folder = join(scratchFolder(t), 'schemas');
    const topic = uniqueName('produce');
    const args = ['-', '--topic', topic, '--partitions', '1', '--format', 'avro', '--schema-folder', folder];
    assert.equal((await produce(args, 'x\n1\n')).code, 0);
    assert.match(readFileSync(join(folder, '1.avsc'), 'utf8'), /"name":"observation"/);
    assert.equal((await readTopic(topic)).length, 1);
  });

  it('finishes what is in flight on SIGINT, and says how much that was', { skip }, async (t) => {
    const file = join(scratchFolder(t), 'rows.csv');
    const topic = uniqueName('produce');
    writeFileSync(file, 'x\n1\n2\n3\n');
    // Makes the topic, without which kcat would not wait.
    await produce([file, '--topic', topic, '--partitions', '1', '--limit', '1']);
    const args = ['produce', file, '--topic', topic, '--loop', '--rate', '200'];
    const { child, result } = startProgram(args, { MILLRACE_BROKERS: testBrokers().join(',') });
    await untilTopicHolds(topic, 21);
    child.kill('SIGINT');
    const { code, stdout } = await result;
    assert.equal(code, 0);
    const numRows = Number(/^(\d+) rows/.exec(stdout)?.[1]);
    assert.ok(numRows >= 20, stdout);
    assert.equal((await readTopic(topic)).length, numRows + 1);
  });

  it('holds its rate and its limit', { skip }, async () => {
    const topic = uniqueName('produce');
    const rows = `x\n${'1\n'.repeat(500)}`;
    const started = performance.now();
    const args = ['-', '--topic', topic, '--partitions', '1', '--rate', '100', '--limit', '101'];
    const { code } = await produce(args, rows);
    assert.equal(code, 0);
    assert.ok(performance.now() - started >= 1_000);
    assert.equal((await readTopic(topic)).length, 101);
  });

  it('prints what it would send, and sends nothing', async (t) => {
    const folder = scratchFolder(t);
    writeFileSync(join(folder, 'rows.csv'), 'id,x\n7,1.5\n8\n');
    const args = ['produce', join(folder, 'rows.csv'), '--dry-run', '--key', 'id', '--format', 'avro'];
    const { code, stdout, stderr } = await runProgram([...args, '--brokers', '127.0.0.1:1']);
    assert.equal(code, 3);
    assert.equal(stdout, '{"key":"7","value":{"id":7,"x":1.5}}\n');
    assert.match(stderr, /^Avro schema: .*\n.*rows\.csv:3: The row has 1 fields, and 2 are expected\./);
  });

  it('says in one sentence and a code what it cannot do', async (t) => {
    const folder = scratchFolder(t);
    const file = join(folder, 'rows.csv');
    writeFileSync(file, 'a,b\n1,2\n');
    writeFileSync(join(folder, 'empty.csv'), '');
    mkdirSync(join(folder, 'folder'));
    const cases: [args: string[], exit: number, code: string, input?: string][] = [
      [[join(folder, 'empty.csv')], 2, 'MILLRACE_INPUT_EMPTY'],
      [[join(folder, 'folder')], 2, 'MILLRACE_FILE_UNUSABLE'],
      [[join(folder, 'none.csv')], 2, 'MILLRACE_FILE_UNUSABLE'],
      [[file, '--key', 'id'], 2, 'MILLRACE_COLUMN_MISSING'],
      [[file, '--label', 'y'], 2, 'MILLRACE_COLUMN_MISSING'],
      [[file, '--rate', '5', '--interval', '5'], 2, 'MILLRACE_CONFIG_INVALID'],
      [['-', '--loop'], 2, 'MILLRACE_CONFIG_INVALID', 'a\n1\n'],
      [['-'], 2, 'MILLRACE_INPUT_EMPTY', ''],
      [[file, '--brokers', '127.0.0.1:1'], 4, 'MILLRACE_BROKER_UNAVAILABLE'],
      [[file, '--topic', uniqueName('absent')], 2, 'MILLRACE_TOPIC_MISSING'],
      [[file, '--topic', 'no topic'], 2, 'MILLRACE_CONFIG_INVALID'],
    ];
    for (const [args, exit, expected, input] of cases) {
      const { code, stdout, stderr } = await produce(args, input);
      assert.equal(code, exit, stderr);
      assert.equal(stdout, '');
      assert.match(stderr, new RegExp(`^millrace: [^\n]+ \\[${expected}\\]\n$`));
    }
  });
});
