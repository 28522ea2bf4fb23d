import { join } from 'node:path';
import { packageRoot } from '../../src/config/package-root.js';

/** A TensorFlow.js LayersModel of two dense layers, written by `model.save` of tfjs 4.22, in two shards. */
export const layersModelFixture = join(packageRoot, 'test/fixtures/layers-model');
