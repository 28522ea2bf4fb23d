import { required, defineOptions, type Compiled } from '../src/config/options.js';
import { defineProgram } from '../src/config/program.js';
import { LabelIndexTransformer } from '../src/features/transformers/label-index.js';
import type { ModelArtifact } from '../src/model/artifact.js';
import { checkBundlePlace, saveBundle } from '../src/model/bundle.js';
import { takeGoldenRows } from '../src/model/golden-rows.js';
import type { Model } from '../src/model/model.js';
import { checkModelSpec } from '../src/model/model-spec.js';
import { ModelPredictor } from '../src/model/predictor.js';
import type { Target } from '../src/model/target.js';
import { csvOptions } from '../src/record/csv-format.js';
import { CsvSource } from '../src/record/csv-source.js';
import { schemaOf, schemaOptions } from '../src/record/infer-schema.js';
import { observationsOf } from '../src/record/row-chunks.js';
import { RejectReport } from '../src/telemetry/reject-report.js';
import { computeOptions } from '../src/tensorflow/compute-options.js';
import { startCompute, type Compute } from '../src/tensorflow/compute.js';
import { readModelFolder } from '../src/tensorflow/read-model.js';
import { readRowsAtRest } from '../src/training/rows-at-rest.js';
import { featureOptions, pipelineFor } from './fit-options.js';
import { readJsonFile } from './json-file.js';

const importOptions = defineOptions({
  output: {
    type: 'string',
    placeholder: 'BUNDLE',
    description: 'Folder that the model bundle is written to',
  },
  rows: {
    type: 'string',
    placeholder: 'FILE.csv',
    description:
      'Rows such as the model will see: they show the schema, fit transformers that are not fitted, and become golden rows',
  },
  name: { type: 'string', default: 'model', description: 'Name of the model, which predictions carry' },
  modelVersion: { type: 'integer', default: 1, min: 1, description: 'Version of the model, likewise' },
  labels: {
    type: 'list',
    description:
      'Label of each output in order (default 0, 1, ...); a single output without labels is a regression',
  },
  signature: { type: 'string', default: 'serving_default', description: 'Signature of a SavedModel' },
  seed: {
    type: 'integer',
    default: 1,
    min: 0,
    description: 'Draws the weights of a model that is only specified',
  },
  ...featureOptions,
  ...schemaOptions,
  ...csvOptions,
  ...computeOptions,
});

/** Makes a bundle of a model that was made elsewhere. */
export const modelImport = defineProgram({
  name: 'model import',
  summary: 'Make a model bundle of a SavedModel, a LayersModel or a specification',
  description: [
    'Takes the folder of a TensorFlow SavedModel or of a TensorFlow.js LayersModel, or a specification (.json), which',
    'gets new weights. The bundle keeps with it how rows are read and transformed, as it is when the model is trained',
    'here; transformers that were fitted elsewhere are given as a file with their state.',
  ].join('\n'),
  arguments: [{ name: '<model>', description: 'Folder of the model, or specification' }],
  options: importOptions,
  examples: [
    'millrace model import exported/ --rows sample.csv --key id --labels cat,dog --transformers none --output models/pets',
  ],
  async run(options, [path], context) {
    const output = required(options, 'output');
    await checkBundlePlace(output);
    const rejects = new RejectReport((line) => context.stderr.write(`${line}\n`));
    const source = await CsvSource.open([required(options, 'rows')], { ...options, stdin: context.stdin });
    const compute = await startCompute({ ...options, logger: context.logger });
    try {
      const schema = await schemaOf(source, options, options.name);
      const pipeline = await pipelineFor(options, schema);
      const chunks = source.rows(schema, ({ file, line, fault }) => rejects.add(`${file}:${line}`, fault), {
        labelOptional: true,
      });
      const rows = await readRowsAtRest(observationsOf(chunks), schema, { withLabel: false });
      await pipeline.fit(() => rows.batches);
      const { artifact, model } = await openArtifact(path, options, compute);
      const { name, modelVersion: version } = options;
      const target = targetOf(model, options.labels);
      const predictor = new ModelPredictor({ schema, pipeline, target, model, name, version });
      const golden = await takeGoldenRows(predictor, rows.sample);
      const training = { importedFrom: path };
      const contents = { name, version, schema, pipeline, target, artifact, training };
      const fingerprint = await saveBundle(output, contents, golden);
      context.stdout.write(
        `imported as ${name} version ${version}, fingerprint ${fingerprint}, in ${output}\n`,
      );
      return 0;
    } finally {
      await compute.close();
      await source.close();
    }
  },
});

async function openArtifact(
  path: string,
  { signature, seed }: Compiled<typeof importOptions>,
  compute: Compute,
): Promise<{ artifact: ModelArtifact; model: Model }> {
  if (!path.endsWith('.json')) {
    const artifact = await readModelFolder(path, signature);
    return { artifact, model: await compute.openModel(artifact) };
  }
  const spec = checkModelSpec(await readJsonFile(path));
  const model = await compute.newModel(spec, seed);
  const weights = { specs: model.weightSpecs, values: await model.getWeights() };
  return { artifact: { format: 'spec', spec, weights }, model };
}

function targetOf({ numOutputs }: Model, labels: readonly string[] | undefined): Target {
  if (numOutputs === 1 && labels === undefined) return { kind: 'regression' };
  return {
    kind: 'classification',
    vocabulary: labels ?? Array.from({ length: numOutputs }, (_, index) => String(index)),
    labelIndex: new LabelIndexTransformer().toJSON(),
  };
}
