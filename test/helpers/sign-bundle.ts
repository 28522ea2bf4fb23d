import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pipeline } from '../../src/features/pipeline.js';
import { schemaColumns } from '../../src/features/row-reader.js';
import { LabelIndexTransformer } from '../../src/features/transformers/label-index.js';
import type { ModelArtifact } from '../../src/model/artifact.js';
import { saveBundle } from '../../src/model/bundle.js';
import type { Target } from '../../src/model/target.js';
import { checkSchema } from '../../src/record/schema.js';

/** Rows with a key and two numbers; the class is the sign of their sum, `s` when it is positive. */
export const signSchema = checkSchema({
  name: 'sign',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'x', type: 'float' },
    { name: 'y', type: 'float' },
    { name: 'label', type: 'string', nullable: true },
  ],
  key: 'id',
  label: 'label',
  features: ['x', 'y'],
});

export const signTarget: Target = {
  kind: 'classification',
  vocabulary: ['b', 's'],
  labelIndex: new LabelIndexTransformer().toJSON(),
};

export function signPipeline(): Pipeline {
  return new Pipeline([], schemaColumns(signSchema));
}

/** What the network below computes: softmax([-(x + y), x + y]). */
export function signOutputs(x: number, y: number): [number, number] {
  const s = 1 / (1 + Math.exp(-2 * (x + y)));
  return [1 - s, s];
}

const artifact: ModelArtifact = {
  format: 'spec',
  spec: { inputShape: [2], layers: [{ type: 'dense', units: 2, activation: 'softmax' }] },
  weights: {
    specs: [
      { name: 'dense_1/kernel', shape: [2, 2] },
      { name: 'dense_1/bias', shape: [2] },
    ],
    values: new Float32Array([-1, 1, -1, 1, 0, 0]),
  },
};

/** Saves the network as a bundle in a new temporary folder and returns the folder. */
export async function saveSignBundle(): Promise<string> {
  const folder = join(await mkdtemp(join(tmpdir(), 'millrace-sign-')), 'sign');
  await saveBundle(
    folder,
    {
      name: 'sign',
      version: 3,
      schema: signSchema,
      pipeline: signPipeline(),
      target: signTarget,
      artifact,
      training: {},
    },
    {
      observations: [{ id: 1, x: 0.5, y: 0.25, label: 's' }],
      outputs: [signOutputs(0.5, 0.25)],
      labels: ['s'],
    },
  );
  return folder;
}
