/**
 * Tells sequences of words apart: an embedding, an LSTM and a dense layer learn from a file in the text format of CNTK.
 *
 *   node dist/examples/classify-sequences.js [FILE] [--workers 2] [--sweeps 20] [--checkpoint FILE [--resume]]
 *
 * Without FILE it learns from sequences that it makes up: in a sequence of class c, more words than not leave the
 * remainder c when they are divided by five. With two workers each of two processes learns from half of the sequences,
 * and behind every sweep both get the mean of their weights. With --checkpoint the run may be killed at any moment: the
 * same command with --resume goes on, and prints the losses that a run without a break has, to the last digit.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  AveragingTrainer,
  CtfSource,
  createLogger,
  oneHotIndices,
  padSequences,
  startCompute,
  type Minibatch,
  type ModelSpec,
  type TrainingRows,
} from '../src/index.js';
import { createDraw } from './draw.js';

const [vocabulary, numClasses, seed] = [2000, 5, 1];

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    workers: { type: 'string', default: '1' },
    sweeps: { type: 'string', default: '20' },
    /** Sequences to make up. */
    sequences: { type: 'string', default: '2000' },
    /** Words that are looked at: what is longer is cut. */
    length: { type: 'string', default: '20' },
    checkpoint: { type: 'string' },
    resume: { type: 'boolean', default: false },
  },
});
const [numWorkers, numSweeps, numSequences, length] = [
  options.workers,
  options.sweeps,
  options.sequences,
  options.length,
].map(Number);

const network: ModelSpec = {
  inputShape: [length],
  layers: [
    { type: 'embedding', inputDim: vocabulary + 1, outputDim: 50, maskZero: true },
    { type: 'lstm', units: 25 },
    { type: 'dense', units: numClasses, activation: 'softmax' },
  ],
};

/** Words from 1 on, so that 0 can stand where a sequence has ended, and the class of each sequence as one-hot row. */
function toRows(minibatch: Minibatch): TrainingRows {
  const [words, classes] = [minibatch.get('words')!, minibatch.get('class')!];
  const indices = oneHotIndices(words).map((index) => index + 1);
  const { values: features } = padSequences(indices, words.lengths, { length });
  return { features, targets: classes.data.values, numRows: words.numSequences };
}

/** From three to twenty words a sequence, drawn from a seed. */
function makeUp(count: number): string {
  const draw = createDraw(seed);
  return Array.from({ length: count }, (_, id) => {
    const ofClass = draw(numClasses);
    const oneHot = Array.from({ length: numClasses }, (__, each) => Number(each === ofClass)).join(' ');
    return Array.from({ length: 3 + draw(18) }, (__, place) => {
      const isTelling = draw(3) > 0;
      const word = numClasses * draw(vocabulary / numClasses) + (isTelling ? ofClass : draw(numClasses));
      return `${id} |x ${word}:1${place === 0 ? ` |y ${oneHot}` : ''}\n`;
    }).join('');
  }).join('');
}

const scratch = await mkdtemp(join(tmpdir(), 'classify-sequences-'));
const file = positionals[0] ?? join(scratch, 'sequences.ctf');
if (positionals.length === 0) await writeFile(file, makeUp(numSequences));

const logger = createLogger({ name: 'classify-sequences', level: 'warn' });
const isolation = numWorkers === 1 ? 'thread' : 'process';
const workers = await Promise.all(
  Array.from({ length: numWorkers }, async () => {
    const compute = await startCompute({ logger, isolation });
    const source = await CtfSource.open(file, {
      streams: {
        words: { alias: 'x', storageFormat: 'sparse', size: vocabulary },
        class: { alias: 'y', storageFormat: 'dense', size: numClasses },
      },
      maxSweeps: numSweeps,
      seed,
    });
    return { compute, source, model: await compute.newModel(network, seed) };
  }),
);
try {
  const trainer = new AveragingTrainer(
    workers.map(({ model }) => model),
    {
      ...{ optimizer: { name: 'adam', learningRate: 0.005 }, loss: 'categoricalCrossentropy' },
      ...{ task: 'classification', minibatchSize: 16, numSweeps, seed },
      ...(options.checkpoint !== undefined && {
        checkpoint: { file: options.checkpoint, resume: options.resume },
      }),
      onSweep: ({ sweep, loss }) => process.stdout.write(`sweep ${sweep} of ${numSweeps}: loss ${loss}\n`),
    },
  );
  const { history } = await trainer.train({ sources: workers.map(({ source }) => source), toRows });
  process.stdout.write(`losses ${JSON.stringify(history.sweeps.map(({ loss }) => loss))}\n`);
} finally {
  await Promise.all(workers.flatMap(({ compute, source }) => [compute.close(), source.close()]));
  await rm(scratch, { recursive: true });
}
