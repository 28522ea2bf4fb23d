import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { compileOptions } from '../../src/config/options.js';
import { connect, connectionOptions } from '../../src/stream/client/connection.js';
import { withAdmin } from '../../src/stream/topics/topics.js';
import { createLogger } from '../../src/telemetry/logger.js';
import { testBrokers, uniqueName } from '../helpers/broker.js';
import { headerOf, jsonOf, readTopic, untilTopicHolds } from '../helpers/kcat.js';
import { runProgram, startProgram, type ProgramResult } from '../helpers/program.js';
import { scratchFolder } from '../helpers/scratch.js';
import { missingTool } from '../helpers/tool.js';

const skip = missingTool('kcat');
const environment = () => ({ MILLRACE_BROKERS: testBrokers().join(',') });
const produce = (...args: string[]): Promise<ProgramResult> =>
  runProgram(['produce', ...args], environment());

/** So many rows, of which each hundredth has a field too few. */
const csvRow = (i: number) => (i % 100 === 99 ? `${i}\n` : `${i},${i % 7}\n`);
const csvRows = (count: number) => Array.from({ length: count }, (_, i) => csvRow(i)).join('');

function rowsFile(t: TestContext, count: number): string {
  const file = join(scratchFolder(t), 'rows.csv');
  writeFileSync(file, `id,x\n${csvRows(count)}`);
  return file;
}

/** The numbers of the rows in a topic, partition by partition in their order. */
async function idsOf(topic: string): Promise<number[]> {
  return (await readTopic(topic)).map((record) => jsonOf<{ id: number }>(record).id);
}

const ascending = (a: number, b: number) => a - b;
const all = (count: number) => Array.from({ length: count }, (_, i) => i);

describe('produce, run again,', () => {
  it('goes on after a kill -9 at the first row that is not in the topic', { skip }, async (t) => {
    const topic = uniqueName('resume');
    const file = rowsFile(t, 6_000);
    const args = [file, '--topic', topic, '--partitions', '3', '--key', 'x'];
    await produce(...args, '--limit', '1');
    for (const atLeast of [500, 2_000]) {
      const { child, result } = startProgram(['produce', ...args, '--rate', '2000'], environment());
      await untilTopicHolds(topic, atLeast);
      child.kill('SIGKILL');
      assert.equal((await result).code, null);
    }
    const { code, stdout, stderr } = await produce(...args);
    assert.equal(code, 3, stderr);
    assert.match(stderr, /^Going on at .*rows\.csv:\d+: [\d,]+ rows of this job are in resume-/m);
    assert.match(stdout, /^[\d,]+ rows .* rejected/);
    const records = await readTopic(topic);
    const good = all(6_000).filter((i) => i % 100 !== 99);
    const ids = records.map((record) => jsonOf<{ id: number }>(record).id);
    assert.deepEqual(ids.toSorted(ascending), good);
    for (let partition = 0; partition < 3; partition++) {
      const own = ids.filter((_, index) => records[index].partition === partition);
      assert.deepEqual(own, own.toSorted(ascending));
    }
    const letters = await readTopic(`${topic}.dlq`);
    assert.deepEqual(
      letters.map((letter) => Number(headerOf(letter, 'millrace.source.line'))).toSorted(ascending),
      all(60).map((i) => 101 + 100 * i),
    );

    const again = await produce(...args);
    assert.deepEqual([again.code, again.stderr], [0, '']);
    assert.equal(again.stdout, `5,940 rows of this job are in ${topic}; --from-start sends all rows again\n`);
    assert.equal((await readTopic(topic)).length, 5_940);
  });

  it('has each reject once in its file, also after a kill -9', { skip }, async (t) => {
    const topic = uniqueName('resume');
    const file = rowsFile(t, 4_000);
    const rejects = join(scratchFolder(t), 'rejects.csv');
    const args = [file, '--topic', topic, '--partitions', '1', '--rejects', rejects];
    await produce(...args, '--limit', '1');
    const { child, result } = startProgram(['produce', ...args, '--rate', '2000'], environment());
    await untilTopicHolds(topic, 1_000);
    child.kill('SIGKILL');
    await result;
    appendFileSync(rejects, 'as if the crash had come after the file was written, and before the commit');
    assert.equal((await produce(...args)).code, 3);
    assert.equal(
      readFileSync(rejects, 'utf8'),
      `id,x\n${all(40)
        .map((i) => `${100 * i + 99}\n`)
        .join('')}`,
    );
    assert.equal((await readTopic(topic)).length, 3_960);
  });

  it('goes on in packed files, and sends the rows and files that were added', { skip }, async (t) => {
    const topic = uniqueName('resume');
    const folder = scratchFolder(t);
    writeFileSync(join(folder, 'a.csv.gz'), gzipSync('id,x\n0,1\n1,1\n2,1\n'));
    writeFileSync(join(folder, 'b.csv'), 'id,x\n3,1\n');
    const args = [join(folder, '*'), '--topic', topic, '--partitions', '1', '--format', 'avro'];
    const schemas = ['--schema-folder', join(scratchFolder(t), 'schemas')];
    await produce(...args, ...schemas, '--limit', '2');
    assert.equal((await produce(...args, ...schemas)).code, 0);
    // It would be inferred as a number with a fraction now, and stays what it was.
    appendFileSync(join(folder, 'b.csv'), '4,1\n5,1.5\n');
    assert.equal((await produce(...args, ...schemas)).code, 3);
    writeFileSync(join(folder, 'c.csv'), 'id,x\n6,1\n');
    assert.equal((await produce(...args, ...schemas)).code, 0);
    // Behind the number of the schema, `id` and `x` are zigzag.
    const ids = (await readTopic(topic)).map(({ value }) => value![5] / 2);
    assert.deepEqual(ids, [0, 1, 2, 3, 4, 6]);
    assert.equal(new Set((await readTopic(topic)).map(({ value }) => value!.readUInt32BE(1))).size, 1);
  });

  it('is refused when the file, the options or the topic are not as they were', { skip }, async (t) => {
    const topic = uniqueName('resume');
    const file = rowsFile(t, 50);
    const args = [file, '--topic', topic, '--partitions', '1'];
    assert.equal((await produce(...args)).code, 0);
    const text = readFileSync(file, 'utf8');
    const refused = async (code: string, ...more: string[]) => {
      const result = await produce(...args, ...more);
      assert.equal(result.code, 2, result.stderr);
      assert.match(result.stderr, new RegExp(`^millrace: [^\n]+--from-start[^\n]+ \\[${code}\\]\n$`));
      assert.equal(result.stdout, '');
    };
    await refused('MILLRACE_CONFIG_INVALID', '--key', 'id');
    writeFileSync(file, text.replace('49,0', '49,1'));
    await refused('MILLRACE_INPUT_CHANGED');
    writeFileSync(file, text.slice(0, -5));
    await refused('MILLRACE_INPUT_CHANGED');
    assert.equal((await produce(...args, '--from-start')).code, 0);
    assert.deepEqual(await idsOf(topic), [...all(50), ...all(49)]);
    const client = connect(
      compileOptions(connectionOptions, { flags: { brokers: testBrokers().join(',') } }),
      createLogger({ name: 'test', level: 'silent' }),
    );
    await withAdmin(client, 'Deleting', (admin) => admin.deleteTopics({ topics: [topic] }));
    await refused('MILLRACE_INPUT_CHANGED');
  });

  it('takes the job from a run that is still going, which ends and says why', { skip }, async (t) => {
    const topic = uniqueName('resume');
    const file = rowsFile(t, 3_000);
    const args = [file, '--topic', topic, '--partitions', '1', '--key', 'x'];
    await produce(...args, '--limit', '1');
    const first = startProgram(['produce', ...args, '--rate', '300'], environment());
    await untilTopicHolds(topic, 100);
    const second = await produce(...args);
    assert.equal(second.code, 3, second.stderr);
    const { code, stderr } = await first.result;
    assert.equal(code, 1);
    assert.match(stderr, /millrace: Another run of the same job [^\n]+ \[MILLRACE_JOB_TAKEN_OVER\]\n$/);
    assert.deepEqual(
      (await idsOf(topic)).toSorted(ascending),
      all(3_000).filter((i) => i % 100 !== 99),
    );
  });

  it('is another job under another name, and begins again without a position', { skip }, async (t) => {
    const topic = uniqueName('resume');
    const args = [rowsFile(t, 10), '--topic', topic, '--partitions', '1'];
    await produce(...args);
    await produce(...args, '--job', 'second');
    await produce(...args, '--job', 'second');
    await produce(...args, '--delivery', 'at-least-once');
    assert.deepEqual(await idsOf(topic), [...all(10), ...all(10), ...all(10)]);
    const file = join(scratchFolder(t), 'more.csv');
    writeFileSync(file, 'id,x\n10,1\n');
    const { code, stderr } = await produce(file, ...args);
    assert.equal(code, 2);
    assert.match(stderr, /were sent to .* by a job of other files .*CONFIG_INVALID\]\n$/);
    assert.equal((await produce(file, ...args, '--from-start')).code, 0);
    assert.equal((await idsOf(topic)).length, 41);
    for (const option of [['--job', 'x'], ['--from-start']]) {
      const { code, stderr } = await produce(...args, '--delivery', 'at-least-once', ...option);
      assert.equal(code, 2);
      assert.match(stderr, /\[MILLRACE_CONFIG_INVALID\]\n$/);
    }
  });
});
