import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { packageRoot } from '../../src/config/package-root.js';
import { ensureTopics } from '../../src/stream/topics/topics.js';
import { testBrokers, uniqueName } from '../helpers/broker.js';
import { jsonOf, readTopic } from '../helpers/kcat.js';
import { runProgram } from '../helpers/program.js';
import { scratchFolder } from '../helpers/scratch.js';
import { ServingProcess } from '../helpers/serving-process.js';
import { testClient } from '../helpers/stream-client.js';
import { missingTool } from '../helpers/tool.js';

/** Real data is no part of the package: it lies beside the clone, or these tests are skipped with a line. */
const dataFolder = join(packageRoot, '..', 'shared', 'data');

interface Prediction {
  readonly EventId?: number;
  readonly prediction: readonly number[];
  readonly predicted_index: number;
  readonly predicted_label: string;
}

const journeys = [
  {
    data: 'higgs_train.csv',
    numRows: 7_000,
    // Rows find back to their place in the file by their key; without one, one partition keeps the order.
    numPartitions: 4,
    roles: ['--label', 'Label', '--key', 'EventId'],
    training: [
      '--hidden',
      '500,500',
      '--dropout',
      '0.4,0.6',
      '--optimizer',
      'adagrad',
      '--learning-rate',
      '0.01',
    ],
    format: 'json',
    minAccuracy: 0.55,
  },
  {
    data: 'mnist_10k.csv.gz',
    numRows: 10_000,
    numPartitions: 1,
    roles: ['--label', 'label', '--types', 'p=vector:784'],
    training: ['--hidden', '1000,250', '--transformers', 'none', '--batch-size', '64'],
    format: 'json',
    // One sweep over raw pixels; far from what more of them reach, and far from chance.
    minAccuracy: 0.8,
  },
  {
    data: 'elec.csv',
    numRows: 45_312,
    numPartitions: 1,
    roles: ['--label', 'class'],
    training: ['--hidden', '16', '--batch-size', '256', '--task', 'classification'],
    format: 'avro',
    minAccuracy: 0.7,
  },
];

for (const { data, numRows, numPartitions, roles, training, format, minAccuracy } of journeys) {
  const file = join(dataFolder, data);
  const missing = existsSync(file) ? missingTool('kcat') : `${data} is not beside the clone`;

  describe(`the main job on ${data}`, { skip: missing }, () => {
    it(`answers on the topic, from ${format}, what predict answers for the file`, async (t) => {
      const folder = scratchFolder(t);
      const [model, schemas] = [join(folder, 'model'), join(folder, 'schemas')];
      const topic = uniqueName('real-data');
      const millrace = async (...args: string[]) => {
        const { code, stdout, stderr } = await runProgram(args);
        assert.equal(code, 0, stderr);
        return stdout;
      };

      await millrace('fit', file, ...roles, ...training, '--sweeps', '1', '--output', model);
      const scores = JSON.parse(await millrace('evaluate', file, '--model', model, '--json')) as {
        accuracy: number;
      };
      assert.ok(scores.accuracy > minAccuracy, `accuracy ${scores.accuracy}`);
      // The members come first: while a group is forming, at-least-once may answer rows twice.
      await ensureTopics(testClient(), [{ topic, numPartitions }], { create: true });
      const serving = {
        ...{ model, topic, output: `${topic}.out`, group: topic, format },
        ...{ 'output-format': 'json', 'schema-folder': schemas },
      };
      const members = [new ServingProcess(serving)];
      await members[0].line('partitions assigned');
      members.push(new ServingProcess(serving));
      await Promise.race([
        members[1].line('partitions assigned'),
        members[1].line('no partition is left for this member; it stands by'),
      ]);
      const codec = ['--format', format, '--schema-folder', schemas];
      await millrace(
        'produce',
        file,
        ...roles,
        ...codec,
        '--topic',
        topic,
        '--brokers',
        testBrokers().join(','),
      );
      const numAnswered = async () =>
        (await Promise.all(members.map((member) => member.rows()))).reduce((a, b) => a + b);
      while ((await numAnswered()) < numRows) await delay(100);
      await Promise.all(members.map((member) => member.stop()));

      const predictions = join(folder, 'predictions.jsonl');
      await millrace('predict', file, '--model', model, '--output', predictions);
      const expected = (await readFile(predictions, 'utf8'))
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Prediction);
      const answers = (await readTopic(`${topic}.out`)).map((record) => jsonOf<Prediction>(record));
      if (numPartitions > 1) answers.sort((a, b) => a.EventId! - b.EventId!);
      assert.equal(answers.length, numRows);
      assert.equal(expected.length, numRows);
      for (const [row, answer] of answers.entries()) assertSame(answer, expected[row], row);
      const letters = await readTopic(`${topic}.dlq`);
      assert.equal(letters.length, 0);
    });
  });
}

/** Equal but for what the width of a batch does to the last bits of float32. */
function assertSame(answer: Prediction, expected: Prediction, row: number): void {
  const { prediction, ...facts } = answer;
  const { prediction: expectedPrediction, ...expectedFacts } = expected;
  const difference = Math.max(...prediction.map((value, each) => Math.abs(value - expectedPrediction[each])));
  assert.ok(difference < 1e-5, `row ${row}: ${String(prediction)} is not ${String(expectedPrediction)}`);
  // A probability at the very threshold may fall to either side of it.
  const isTie = expectedPrediction.some(
    (value) => Math.abs(value - 0.55) < 1e-5 || Math.abs(value - 0.5) < 1e-5,
  );
  if (!isTie) assert.deepEqual(facts, expectedFacts, `row ${row}`);
}
