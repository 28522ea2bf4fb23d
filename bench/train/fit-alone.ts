/**
 * Trains on a CSV file and looks at how many rows of another it answers rightly. A process of its own, because TensorFlow
 * is loaded once in a process.
 *
 *   node dist/bench/train/fit-alone.js CASE TRAINER TRAIN.csv TEST.csv
 *
 * CASE is a case of rest-cases.ts, TRAINER a trainer of FitOptions, as JSON. Prints a RestRun as JSON.
 */
import { readEnvironment } from '../../src/config/environment.js';
import { compileOptions } from '../../src/config/options.js';
import { isRowFault } from '../../src/features/row-faults.js';
import { csvOptions } from '../../src/record/csv-format.js';
import { CsvSource } from '../../src/record/csv-source.js';
import { schemaOf, schemaOptions } from '../../src/record/infer-schema.js';
import type { Observation } from '../../src/record/observation.js';
import { observationsOf } from '../../src/record/row-chunks.js';
import type { Schema } from '../../src/record/schema.js';
import { computeOptions } from '../../src/tensorflow/compute-options.js';
import { startComputes } from '../../src/tensorflow/computes.js';
import { createLogger } from '../../src/telemetry/logger.js';
import { defaultPipeline } from '../../src/training/default-pipeline.js';
import { fitBundle } from '../../src/training/fit-bundle.js';
import { readRowsAtRest } from '../../src/training/rows-at-rest.js';
import { numWorkersOf, type TrainerSpec } from '../../src/training/trainer-spec.js';
import type { RestRun } from './at-rest.js';
import type { RestCase } from './rest-cases.js';

const [caseText, trainerText, trainFile, testFile] = process.argv.slice(2);
const restCase = JSON.parse(caseText) as RestCase & { readonly seed: number };
const trainer = JSON.parse(trainerText) as TrainerSpec;
const options = compileOptions(
  { ...csvOptions, ...schemaOptions, ...computeOptions },
  {
    flags: { label: restCase.label, drop: listOf(restCase.drop), types: listOf(restCase.types) },
    environment: readEnvironment(),
  },
);
const logger = createLogger({ name: 'bench', level: 'warn' });

async function readFile(file: string, schema?: Schema) {
  const source = await CsvSource.open([file], options);
  const inferred = schema ?? (await schemaOf(source, options, restCase.name));
  const chunks = observationsOf(
    source.rows(inferred, ({ fault }) => {
      throw new Error(fault.message);
    }),
  );
  return { schema: inferred, chunks };
}

const computes = await startComputes(numWorkersOf(trainer), { ...options, logger });
const startedAtMs = Date.now();
const { schema, chunks } = await readFile(trainFile);
const rows = await readRowsAtRest(chunks, schema, { withLabel: true });
const readAtMs = Date.now();
const { spec, scaling, optimizer, minibatchSize, numSweeps, seed } = restCase;
const { history, predictor } = await fitBundle(rows, {
  ...{ name: restCase.name, version: 1, schema, pipeline: defaultPipeline(schema, scaling, []) },
  ...{ task: 'classification', network: () => spec, trainer },
  ...{ optimizer, minibatchSize, numSweeps, seed },
  newModel: (each, ownSeed, worker) => computes[worker].newModel(each, ownSeed),
});

let [numRows, numRight] = [0, 0];
const { chunks: testChunks } = await readFile(testFile, schema);
for await (const observations of testChunks as AsyncIterable<readonly Observation[]>) {
  const predictions = await predictor.predict(observations);
  for (const [row, prediction] of predictions.entries()) {
    numRows++;
    if (isRowFault(prediction)) throw new Error(prediction.message);
    const label = observations[row][schema.label!] as string | number;
    if (prediction['predicted_label'] === String(label)) numRight++;
  }
}
await Promise.all(computes.map((compute) => compute.close()));
const run: RestRun = {
  seconds: (history.startedAtMs + history.trainingTimeMs - startedAtMs) / 1_000,
  readSeconds: (readAtMs - startedAtMs) / 1_000,
  sweepSeconds: history.sweeps.map((sweep) => (sweep.finishedAtMs - sweep.startedAtMs) / 1_000),
  accuracy: numRight / numRows,
};
process.stdout.write(`${JSON.stringify(run)}\n`);

/** As a flag; undefined for none. */
function listOf(texts: readonly string[]): string | undefined {
  return texts.length === 0 ? undefined : texts.join(',');
}
