import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { tmpdir } from 'node:os';
import { collisionEvents, collisionSchema } from '../../src/simulation/collision-events.js';
import { csvHeader, csvLine } from '../../src/record/csv-writer.js';
import { savedModelFixture } from '../checks/keras.js';
import { missingNative } from '../helpers/compute.js';
import { layersModelFixture } from '../helpers/layers-model.js';
import { childrenOf } from '../helpers/processes.js';
import { runProgram } from '../helpers/program.js';

const wasm = { MILLRACE_BACKEND: 'wasm' };
const numRows = 600;
const folder = mkdtempSync(join(tmpdir(), 'millrace-offline-'));
const place = (name: string) => join(folder, name);
const features = collisionSchema.features.length;

/** Runs `fit` on the events, without those columns that tell nothing, into a bundle of this name. */
async function fitEvents(
  name: string,
  ...flags: readonly string[]
): Promise<{ stdout: string; stderr: string }> {
  const rows = [place('train.csv'), '--label', 'Label', '--drop', 'Weight,EventId'];
  const { code, stdout, stderr } = await runProgram(
    ['fit', ...rows, ...flags, '--output', place(name)],
    wasm,
  );
  assert.equal(code, 0, stderr);
  return { stdout, stderr };
}
const missing = ['--missing', '-999'];
const weightsOf = (name: string) => readFileSync(join(place(name), 'weights.bin'));

interface Evaluation {
  readonly numRows: number;
  readonly numRejected: number;
  readonly accuracy: number;
  readonly vocabulary: string[];
}

describe('the offline programs', () => {
  before(() => {
    const events = collisionEvents(11);
    const lines = Array.from({ length: numRows }, () => csvLine(events.next().value, collisionSchema));
    writeFileSync(place('train.csv'), csvHeader(collisionSchema) + lines.join(''));
    const spoiled = lines.slice(0, 5);
    spoiled[2] = 'only,three,fields\n';
    writeFileSync(place('spoiled.csv'), csvHeader(collisionSchema) + spoiled.join(''));
    writeFileSync(place('xyz.csv'), 'id,x,y,z\n1,0.5,-1,2\n2,1,0.3,-0.7\n');
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('fit trains a model on a file and saves it as a bundle', async () => {
    const args = ['fit', place('train.csv'), '--label', 'Label', '--key', 'EventId', '--drop', 'Weight'];
    const more = ['--missing', '-999', '--hidden', '16', '--sweeps', '4', '--seed', '3', '--name', 'events'];
    const { code, stdout, stderr } = await runProgram([...args, ...more, '--output', place('bundle')], wasm);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /sweep 4\/4 {2}loss 0\.\d+ {2}validation: loss 0\.\d+ {2}accuracy 0\.\d+/);
    assert.match(
      stdout,
      /trained on 540 rows in .* s: loss .*, accuracy .* on the validation rows\nsaved in /,
    );
  });

  it('fit comes to the same weights with the same seed', async () => {
    for (const name of ['one', 'two']) await fitEvents(name, ...missing, '--sweeps', '2', '--dropout', '0.3');
    assert.deepEqual(weightsOf('one'), weightsOf('two'));
  });

  it('fit goes on at its checkpoint, and comes to the weights of a run without a break', async () => {
    const more = [...missing, '--dropout', '0.3', '--hidden', '8', '--learning-rate-scheme', 'exponential'];
    await fitEvents('whole', ...more, '--sweeps', '4');
    const checkpoint = ['--checkpoint', place('run.checkpoint'), '--resume'];
    await fitEvents('half', ...more, '--sweeps', '2', ...checkpoint);
    const resumed = await fitEvents('resumed', ...more, '--sweeps', '4', ...checkpoint);
    assert.doesNotMatch(resumed.stderr, /sweep 2\/4 {2}/);
    assert.deepEqual(weightsOf('resumed'), weightsOf('whole'));
    const refused = ['fit', place('train.csv'), '--label', 'Label', '--resume', '--output', place('none')];
    const { code, stderr } = await runProgram(refused, wasm);
    assert.equal(code, 2);
    assert.match(stderr, /Give --checkpoint/);
  });

  it('fit averages models that are trained in processes of their own', async () => {
    const trainer = [
      '--trainer',
      'averaging',
      '--workers',
      '3',
      '--parallelism-factor',
      '2',
      '--sweeps',
      '2',
    ];
    const { stdout, stderr } = await fitEvents('averaged', ...missing, ...trainer);
    assert.match(stderr, /sweep 2\/2 {2}loss/);
    assert.match(stdout, /trained on 540 rows/);
    assert.deepEqual(childrenOf(process.pid), []);
  });

  for (const combine of ['average', 'vote']) {
    it(`fit trains an ensemble that every program takes for a model: ${combine}`, async () => {
      const trainer = ['--trainer', 'ensemble', '--workers', '3', '--combine', combine];
      const network = ['--hidden', '16', '--dropout', '0.3', '--learning-rate', '0.02'];
      const run = (name: string, ...flags: readonly string[]) =>
        fitEvents(name, ...missing, ...trainer, ...network, ...flags);
      const { stdout } = await run(combine, '--sweeps', '4');
      assert.match(stdout, /trained on 540 rows/);
      assert.deepEqual(childrenOf(process.pid), []);
      const checkpoint = ['--checkpoint', place(`${combine}.checkpoint`), '--resume'];
      await run(`${combine}-half`, '--sweeps', '2', ...checkpoint);
      await run(`${combine}-resumed`, '--sweeps', '4', ...checkpoint);
      assert.deepEqual(weightsOf(`${combine}-resumed`), weightsOf(combine));

      const inspected = await runProgram(['model', 'inspect', place(combine)]);
      const how = { average: 'whose outputs are averaged', vote: 'which vote' }[combine]!;
      assert.match(inspected.stdout, new RegExp(`ensemble of 3, ${how}; each of them:`));
      const verified = await runProgram(['model', 'verify', place(combine)], wasm);
      assert.equal(verified.code, 0, verified.stderr);
      const rows = [place('train.csv'), '--model', place(combine)];
      const evaluated = await runProgram(['evaluate', ...rows, '--json'], wasm);
      const { accuracy } = JSON.parse(evaluated.stdout) as Evaluation;
      assert.ok(accuracy > 0.6, `${accuracy}`);
      const predicted = await runProgram(['predict', ...rows], wasm);
      assert.equal(predicted.stdout.trimEnd().split('\n').length, numRows);
    });
  }

  it('fit trains the network of a specification behind the transformers of a file', async () => {
    const network = { inputShape: [features], layers: [{ type: 'dense', units: 1, activation: 'sigmoid' }] };
    const imputer = { type: 'Imputer', options: { missing: [-999] } };
    writeFileSync(place('network.json'), JSON.stringify(network));
    writeFileSync(place('pipeline.json'), JSON.stringify({ transformers: [imputer, { type: 'Standard' }] }));
    const files = ['--network', place('network.json'), '--transformers', place('pipeline.json')];
    await fitEvents('own', ...files, '--sweeps', '1');
    const { stdout } = await runProgram(['model', 'inspect', place('own')]);
    assert.match(stdout, /pipeline +Imputer, Standard\n/);
    assert.match(stdout, /dense units 1 activation "sigmoid" -> \[1\]/);
  });

  it('predict answers every row in order, as JSON lines and as CSV', async () => {
    const predict = (...more: string[]) =>
      runProgram(
        ['predict', place('train.csv'), '--model', place('bundle'), '--batch-size', '100', ...more],
        wasm,
      );
    const { code, stdout, stderr } = await predict();
    assert.equal(code, 0, stderr);
    assert.match(stderr, /600 predicted, 0 rejected/);
    const lines = stdout.trimEnd().split('\n');
    assert.equal(lines.length, numRows);
    const keys = readFileSync(place('train.csv'), 'utf8').trimEnd().split('\n').slice(1);
    for (const [row, line] of lines.entries()) {
      const answer = JSON.parse(line) as Record<string, unknown>;
      assert.equal(String(answer['EventId']), keys[row].split(',')[0]);
      assert.deepEqual(Object.keys(answer).slice(1), [
        'prediction',
        'predicted_index',
        'predicted_label',
        'model',
        'model_version',
      ]);
    }
    assert.equal((await predict('--output', place('predictions.csv'))).code, 0);
    const csv = readFileSync(place('predictions.csv'), 'utf8').trimEnd().split('\n');
    assert.equal(csv.length, numRows + 1);
    assert.match(csv[0], /^EventId,prediction,predicted_index,predicted_label,model,model_version$/);
  });

  it('predict reports rows that do not fit with file and line, and answers the others', async () => {
    const { code, stdout, stderr } = await runProgram(
      ['predict', place('spoiled.csv'), '--model', place('bundle')],
      wasm,
    );
    assert.equal(code, 3);
    assert.equal(stdout.trimEnd().split('\n').length, 4);
    assert.match(stderr, /rejected .*spoiled\.csv:4: .* \[MILLRACE_ROW_FIELD_COUNT\]/);
    assert.match(stderr, /4 predicted, 1 rejected/);
  });

  it('evaluate says how good the model is, as a table and as JSON', async () => {
    const args = ['evaluate', place('train.csv'), '--model', place('bundle')];
    const table = await runProgram(args, wasm);
    assert.equal(table.code, 0, table.stderr);
    assert.match(table.stdout, /^accuracy {2}0\.\d{4}\nauc .*\nlog-loss /);
    assert.match(table.stdout, /true \\ predicted +b +s\n/);
    const json = JSON.parse((await runProgram([...args, '--json'], wasm)).stdout) as Evaluation;
    assert.deepEqual([json.numRows, json.numRejected, json.vocabulary], [numRows, 0, ['b', 's']]);
    assert.ok(json.accuracy > 0.6, `${json.accuracy}`);
  });

  it('model inspect and verify show a bundle and run its golden rows', async () => {
    const { code, stdout } = await runProgram(['model', 'inspect', place('bundle')]);
    assert.equal(code, 0);
    assert.match(stdout, /^events version 1\n/);
    assert.match(stdout, new RegExp(`input \\[${features}\\], `));
    assert.match(stdout, /dense units 2 activation "softmax" -> \[2\]/);
    const json = JSON.parse(
      (await runProgram(['model', 'inspect', '--json', place('bundle')])).stdout,
    ) as object;
    assert.ok('schema' in json && 'training' in json && !('values' in json));
    const verified = await runProgram(['model', 'verify', place('bundle')], wasm);
    assert.equal(verified.code, 0, verified.stderr);
    assert.match(verified.stdout, /events version 1 answers as it did when it was saved \(wasm\)/);
  });

  it('model import makes a bundle of a LayersModel folder and of a specification', async () => {
    const common = [
      '--rows',
      place('xyz.csv'),
      '--key',
      'id',
      '--transformers',
      'none',
      '--labels',
      'cat,dog',
    ];
    const args = ['model', 'import', layersModelFixture, ...common, '--output', place('layers')];
    const imported = await runProgram(args, wasm);
    assert.equal(imported.code, 0, imported.stderr);
    const spec = { inputShape: [3], layers: [{ type: 'dense', units: 2, activation: 'softmax' }] };
    writeFileSync(place('spec.json'), JSON.stringify(spec));
    const fresh = ['model', 'import', place('spec.json'), ...common, '--output', place('fresh')];
    assert.equal((await runProgram(fresh, wasm)).code, 0);
    const predicted = await runProgram(['predict', place('xyz.csv'), '--model', place('layers')], wasm);
    assert.match(predicted.stdout, /"predicted_label":"(cat|dog)"/);
  });

  it('model import makes a bundle of a SavedModel folder', { skip: missingNative() }, async () => {
    const common = ['--rows', place('xyz.csv'), '--key', 'id', '--transformers', 'none'];
    const native = { MILLRACE_BACKEND: 'native' };
    const args = ['model', 'import', savedModelFixture, ...common, '--output', place('saved')];
    const imported = await runProgram(args, native);
    assert.equal(imported.code, 0, imported.stderr);
    const predicted = await runProgram(['predict', place('xyz.csv'), '--model', place('saved')], native);
    assert.match(
      predicted.stdout,
      /"id":1,"prediction":\[0\.\d+,0\.\d+\],"predicted_index":[01],"predicted_label":"[01]"/,
    );
    const onWasm = await runProgram(['predict', place('xyz.csv'), '--model', place('saved')], wasm);
    assert.match(onWasm.stderr, /MILLRACE_TENSORFLOW_UNAVAILABLE/);
  });

  it('say in one sentence what is wrong with the command', async () => {
    const refusals: [string[], RegExp][] = [
      [['fit', place('train.csv'), '--output', place('x')], /Give --label/],
      [['fit', place('train.csv'), '--label', 'Lable', '--output', place('x')], /no column "Lable"/],
      [
        ['fit', place('train.csv'), '--label', 'Label', '--hidden', 'a', '--output', place('x')],
        /--hidden takes numbers/,
      ],
      [
        [
          'fit',
          place('train.csv'),
          '--label',
          'Label',
          '--network',
          'a.json',
          '--hidden',
          '3',
          '--output',
          place('x'),
        ],
        /Give either --network or --hidden, not both/,
      ],
      [
        ['fit', place('train.csv'), '--label', 'Label', '--network', place('a.json'), '--output', place('x')],
        /a\.json cannot be read as JSON: there is no such file\. /,
      ],
      [['fit', place('train.csv'), '--label', 'Label', '--output', folder], /exists and is no model bundle/],
      [['fit', place('none.csv'), '--label', 'Label', '--output', place('x')], /does not exist/],
      [
        ['fit', place('train.csv'), '--label', 'Label', '--combine', 'vote', '--output', place('x')],
        /--combine is for --trainer ensemble/,
      ],
      [
        ['fit', place('train.csv'), '--label', 'Label', '--parallelism-factor', '2', '--output', place('x')],
        /--parallelism-factor is for --trainer averaging/,
      ],
      [['predict', place('train.csv'), '--model', place('none')], /no model bundle at/],
      [['predict', place('train.csv')], /Give --model/],
      [['model', 'verify', folder], /refused|no model bundle/],
      [
        ['model', 'import', folder, '--rows', place('xyz.csv'), '--output', place('x')],
        /neither saved_model\.pb nor/,
      ],
    ];
    for (const [args, message] of refusals) {
      const { code, stderr } = await runProgram(args, wasm);
      assert.equal(code, 2, `${args.join(' ')}: ${stderr}`);
      assert.match(stderr, message);
    }
  });
});
