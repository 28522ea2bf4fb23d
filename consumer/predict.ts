import { required, defineOptions } from '../src/config/options.js';
import { defineProgram } from '../src/config/program.js';
import { ExitCode } from '../src/errors.js';
import { isRowFault } from '../src/features/row-faults.js';
import { openBundle } from '../src/model/bundle.js';
import type { ModelPredictor } from '../src/model/predictor.js';
import { CsvSource, type SourceRow } from '../src/record/csv-source.js';
import type { Observation } from '../src/record/observation.js';
import { openRowFile, type RowFile } from '../src/record/row-file.js';
import { regroup } from '../src/record/row-chunks.js';
import { RejectReport } from '../src/telemetry/reject-report.js';
import { startCompute } from '../src/tensorflow/compute.js';
import { bundleOptions, inputOptions } from './bundle-options.js';

/** Predicts the rows of CSV files. */
export const predict = defineProgram({
  name: 'predict',
  summary: 'Predict the rows of CSV files with a model bundle',
  description: [
    'Writes one prediction per row, in the order of the rows: the same values that serving members write to their',
    'topic, as JSON lines, or as CSV when the name of the output ends in .csv. Rows that cannot be predicted are',
    'reported and left out; then the exit code is 3.',
  ].join('\n'),
  arguments: [{ name: '<files...>', description: 'CSV files, patterns, or - for standard input' }],
  options: defineOptions({
    ...bundleOptions,
    output: {
      type: 'string',
      default: '-',
      placeholder: 'FILE',
      description: 'Where predictions are written; - is standard output',
    },
    ...inputOptions,
  }),
  examples: [
    'millrace predict rows.csv --model models/events',
    'millrace predict rows.csv --model models/events --output predictions.csv',
  ],
  async run(options, files, context) {
    const folder = required(options, 'model');
    const rejects = new RejectReport((line) => context.stderr.write(`${line}\n`));
    const source = await CsvSource.open(files, {
      ...options,
      stdin: context.stdin,
      signal: context.shutdown,
    });
    const compute = await startCompute({ ...options, logger: context.logger });
    try {
      const { predictor, schema } = await openBundle(folder, (artifact) => compute.openModel(artifact));
      const chunks = source.rows(schema, ({ file, line, fault }) => rejects.add(`${file}:${line}`, fault), {
        labelOptional: true,
      });
      const file = await openRowFile(options.output, predictor.predictionSchema, context.stdout);
      try {
        for await (const rows of regroup(chunks, options.batchSize)) {
          const wanted = await writePredictions(predictor, rows, file, rejects);
          if (!wanted || context.shutdown.aborted) break;
        }
      } finally {
        await file.close();
      }
      context.stderr.write(`${file.numRows} predicted, ${rejects.summary()}\n`);
      return rejects.count > 0 ? ExitCode.rowsRejected : 0;
    } finally {
      await compute.close();
      await source.close();
    }
  },
});

/** Returns false once nobody reads the predictions any more. */
async function writePredictions(
  predictor: ModelPredictor,
  rows: readonly SourceRow[],
  file: RowFile,
  rejects: RejectReport,
): Promise<boolean> {
  const answers = await predictor.predict(rows.map(({ observation }) => observation));
  const predictions = answers.filter((answer, row) => {
    if (!isRowFault(answer)) return true;
    rejects.add(`${rows[row].file}:${rows[row].line}`, answer);
    return false;
  });
  return file.write(predictions as Observation[]);
}
