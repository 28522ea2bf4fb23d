import { required, defineOptions } from '../src/config/options.js';
import { defineProgram } from '../src/config/program.js';
import { ExitCode } from '../src/errors.js';
import { createRowReader } from '../src/features/row-reader.js';
import { openBundle } from '../src/model/bundle.js';
import { evaluationResults, evaluationTable } from '../src/model/evaluators/evaluation-table.js';
import { evaluatorsFor } from '../src/model/evaluators/registry.js';
import { targetValues } from '../src/model/target.js';
import { CsvSource } from '../src/record/csv-source.js';
import { regroup } from '../src/record/row-chunks.js';
import { RejectReport } from '../src/telemetry/reject-report.js';
import { startCompute } from '../src/tensorflow/compute.js';
import { bundleOptions, inputOptions } from './bundle-options.js';

/** Compares the predictions for CSV files with their labels. */
export const evaluate = defineProgram({
  name: 'evaluate',
  summary: 'Compare the predictions for CSV files with their labels',
  description: [
    'Predicts the rows and compares with the label column that the bundle names: accuracy, precision, recall, F1, AUC,',
    'log loss and confusion matrix, or mean squared and absolute error. Rows that cannot be used are reported and left',
    'out; then the exit code is 3.',
  ].join('\n'),
  arguments: [{ name: '<files...>', description: 'CSV files, patterns, or - for standard input' }],
  options: defineOptions({
    ...bundleOptions,
    json: { type: 'boolean', default: false, description: 'Print the results as JSON' },
    ...inputOptions,
  }),
  examples: ['millrace evaluate test.csv --model models/events'],
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
      const { predictor, schema, target } = await openBundle(folder, (artifact) =>
        compute.openModel(artifact),
      );
      const reader = createRowReader(schema, { withLabel: true });
      const evaluators = evaluatorsFor(target);
      let numRows = 0;
      const chunks = source.rows(schema, ({ file, line, fault }) => rejects.add(`${file}:${line}`, fault));
      for await (const rows of regroup(chunks, options.batchSize)) {
        const batch = reader.read(rows.map(({ observation }) => observation));
        const truth = targetValues(target, batch);
        const predictions = await predictor.predictMany(batch);
        for (const evaluator of evaluators) evaluator.add(predictions, truth);
        for (const [row, fault] of predictions.faults.entries())
          rejects.add(`${rows[row].file}:${rows[row].line}`, fault);
        numRows += rows.length;
        if (context.shutdown.aborted) return ExitCode.failed;
      }
      const results = evaluationResults(evaluators);
      const vocabulary = target.kind === 'classification' ? target.vocabulary : [];
      context.stdout.write(
        options.json
          ? `${JSON.stringify({ numRows, numRejected: rejects.count, vocabulary, ...results })}\n`
          : `${evaluationTable(results, vocabulary)}\n`,
      );
      context.stderr.write(`${numRows} rows, ${rejects.summary()}\n`);
      return rejects.count > 0 ? ExitCode.rowsRejected : 0;
    } finally {
      await compute.close();
      await source.close();
    }
  },
});
