import { JsonObject } from '../../config/json-object.js';
import { BinaryLabelTransformer, type BinaryLabelOptions } from './binary-label.js';
import { DenseTransformer } from './dense.js';
import { Imputer } from './imputer.js';
import { LabelIndexTransformer } from './label-index.js';
import { MinMaxTransformer } from './min-max.js';
import { Normalizer } from './normalizer.js';
import { OneHotTransformer } from './one-hot.js';
import { ReshapeTransformer, type ReshapeOptions } from './reshape.js';
import { StandardTransformer } from './standard.js';
import { StringIndexer } from './string-indexer.js';
import { transformerInvalid } from './transformer-options.js';
import type { Transformer } from './transformer.js';
import { VectorAssembler, type VectorAssemblerOptions } from './vector-assembler.js';

/** Makes a transformer of its saved options and state; each constructor checks both. */
type TransformerFactory = (options: object, state: unknown) => Transformer;

/** Every transformer by the name under which it is saved. */
const transformers: Readonly<Record<string, TransformerFactory>> = {
  BinaryLabel: stateless((options) => new BinaryLabelTransformer(options as BinaryLabelOptions)),
  Dense: stateless((options) => new DenseTransformer(options)),
  Imputer: (options, state) => new Imputer(options, state),
  LabelIndex: stateless((options) => new LabelIndexTransformer(options)),
  MinMax: (options, state) => new MinMaxTransformer(options, state),
  Normalizer: stateless((options) => new Normalizer(options)),
  OneHot: (options, state) => new OneHotTransformer(options, state),
  Reshape: stateless((options) => new ReshapeTransformer(options as ReshapeOptions)),
  Standard: (options, state) => new StandardTransformer(options, state),
  StringIndexer: (options, state) => new StringIndexer(options, state),
  VectorAssembler: stateless((options) => new VectorAssembler(options as VectorAssemblerOptions)),
};

export const transformerTypes: readonly string[] = Object.keys(transformers);

/** Makes a transformer of its JSON. Throws MILLRACE_TRANSFORMER_INVALID with what is wrong. */
export function transformerFromJSON(json: unknown): Transformer {
  const saved = new JsonObject(json, 'A transformer', 'MILLRACE_TRANSFORMER_INVALID');
  const type = saved.choice('type', transformerTypes);
  const options = saved.any('options') ?? {};
  const state = saved.any('state');
  saved.end();
  return transformers[type](options, state);
}

function stateless(make: (options: object) => Transformer): TransformerFactory {
  return (options, state) => {
    const transformer = make(options);
    if (state !== undefined) throw transformerInvalid(`${transformer.type} learns nothing and has no state.`);
    return transformer;
  };
}
