import { required } from '../src/config/options.js';
import { defineProgram, type ProgramContext } from '../src/config/program.js';
import { ExitCode } from '../src/errors.js';
import { checkBundlePlace, saveBundle } from '../src/model/bundle.js';
import { createProgress } from '../src/telemetry/progress.js';
import { RejectReport } from '../src/telemetry/reject-report.js';
import type { Compute } from '../src/tensorflow/compute.js';
import { startComputes } from '../src/tensorflow/computes.js';
import type { EndReason } from '../src/training/early-stop.js';
import { fitBundle, type FitResult } from '../src/training/fit-bundle.js';
import type { RowsAtRest } from '../src/training/rows-at-rest.js';
import { numWorkersOf } from '../src/training/trainer-spec.js';
import type { SweepRecord } from '../src/training/training-log.js';
import { fitOptions, fitOptionsFor, type CompiledFitOptions } from './fit-options.js';
import { readFitRows } from './fit-rows.js';

/** Trains a model on CSV files, or on a range of a topic, and saves it as a bundle. */
export const fit = defineProgram({
  name: 'fit',
  summary: 'Train a model on CSV files or a range of a topic and save it as a bundle',
  description: [
    'Reads CSV files, fits the transformers, trains a network and saves both, with the labels and some golden rows, as',
    'one bundle. All rows are kept in memory. Rows that do not fit are reported and left out; then the exit code is 3.',
    '',
    'With --topic, the rows of a topic are read from --from to --to, without a group; --schema says what they hold.',
  ].join('\n'),
  arguments: [{ name: '[files...]', description: 'CSV files, patterns, or - for standard input' }],
  options: fitOptions,
  examples: [
    'millrace fit events.csv --label Label --key EventId --output models/events',
    'millrace fit events.csv --label Label --hidden 500,500 --dropout 0.4,0.6 --optimizer adagrad --learning-rate 0.01 --output models/events',
    'millrace fit digits.csv.gz --label digit --network network.json --transformers minmax --output models/digits',
    'millrace fit --topic observations --from 7d --schema events.json --label Label --output models/events',
  ],
  async run(options, files, context) {
    const output = required(options, 'output');
    // A schema may name it.
    if (options.schema === undefined) required(options, 'label');
    await checkBundlePlace(output);
    const rejects = new RejectReport((line) => context.stderr.write(`${line}\n`));
    const { schema, rows } = await readFitRows(files, options, rejects, context);
    const settings = await fitOptionsFor(options, schema);
    return train(rows, settings, { ...options, output }, rejects, context);
  },
});

async function train(
  rows: RowsAtRest,
  settings: Awaited<ReturnType<typeof fitOptionsFor>>,
  options: CompiledFitOptions & { output: string },
  rejects: RejectReport,
  context: ProgramContext,
): Promise<number> {
  const computes: Compute[] = [];
  const numModels = options.trainer === 'ensemble' ? options.workers : 1;
  const total = rows.numRows * options.sweeps * numModels;
  const progress = createProgress(context.stderr, { total, unit: 'rows' });
  try {
    const { logger } = context;
    computes.push(...(await startComputes(numWorkersOf(settings.trainer), { ...options, logger })));
    const fitted = await fitBundle(rows, {
      ...settings,
      newModel: (spec, seed, worker) => computes[worker].newModel(spec, seed),
      signal: context.shutdown,
      onProgress: ({ numRowsDone, sweep, loss }) =>
        progress.update(numRowsDone, `sweep ${sweep} of ${options.sweeps}, loss ${loss.toFixed(4)}`),
      onSweep: (record) => progress.log(describeSweep(record, options.sweeps)),
    });
    progress.end();
    for (const [code, count] of fitted.rejected) rejects.addCount(code, count);
    if (fitted.end === 'stopped') {
      const goOn = options.checkpoint === undefined ? '' : '; the same command with --resume goes on';
      context.stderr.write(`stopped before the last sweep, no bundle was written${goOn}\n`);
      return ExitCode.failed;
    }
    await saveBundle(options.output, fitted.contents, fitted.golden);
    context.stdout.write(`${describeResult(fitted, options.output)}\n`);
    if (rejects.count > 0) context.stderr.write(`${rejects.summary()}\n`);
    return rejects.count > 0 ? ExitCode.rowsRejected : 0;
  } finally {
    progress.end();
    await Promise.all(computes.map((compute) => compute.close()));
  }
}

function describeSweep(record: SweepRecord, numSweeps: number): string {
  const { sweep, loss, validationLoss, validationAccuracy, startedAtMs, finishedAtMs } = record;
  return [
    `sweep ${sweep}/${numSweeps}`,
    `loss ${loss.toFixed(4)}`,
    ...(validationLoss === undefined ? [] : [`validation: loss ${validationLoss.toFixed(4)}`]),
    ...(validationAccuracy === undefined ? [] : [`accuracy ${validationAccuracy.toFixed(4)}`]),
    `${((finishedAtMs - startedAtMs) / 1000).toFixed(1)} s`,
  ].join('  ');
}

const endings: Readonly<Record<EndReason, string>> = {
  'last-sweep': '',
  'target-loss': '; ended early, the loss is good enough',
  'no-improvement': '; ended early, the loss got no better',
  stopped: '',
};

function describeResult({ numTrainingRows, history, evaluation, end }: FitResult, output: string): string {
  const quality = [
    `loss ${evaluation.loss.toFixed(4)}`,
    ...(evaluation.accuracy === undefined ? [] : [`accuracy ${evaluation.accuracy.toFixed(4)}`]),
  ].join(', ');
  const seconds = (history.trainingTimeMs / 1000).toFixed(1);
  return [
    `trained on ${numTrainingRows} rows in ${seconds} s: ${quality} on the ${evaluation.rows} rows${endings[end]}`,
    `saved in ${output}`,
  ].join('\n');
}
