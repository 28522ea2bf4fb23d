import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { readLayersModel } from '../../src/tensorflow/layers-model-folder.js';
import { layersModelFixture } from '../helpers/layers-model.js';
import { scratchFolder } from '../helpers/scratch.js';

interface ModelJson {
  modelTopology?: unknown;
  format?: string;
  weightsManifest: { paths: unknown[]; weights: Record<string, unknown>[] }[];
}

/** A copy of the fixture with a changed model.json. */
function changed(test: TestContext, change: (json: ModelJson, folder: string) => void): string {
  const folder = join(scratchFolder(test), 'model');
  cpSync(layersModelFixture, folder, { recursive: true });
  const path = join(folder, 'model.json');
  const json = JSON.parse(readFileSync(path, 'utf8')) as ModelJson;
  change(json, folder);
  writeFileSync(path, JSON.stringify(json));
  return folder;
}

const refused = (folder: string, message: RegExp) =>
  assert.rejects(readLayersModel(folder), { code: 'MILLRACE_MODEL_INVALID', message });

describe('a LayersModel folder', () => {
  it('is read with all its shards, in the order of the manifest', async () => {
    const { topology, weights } = await readLayersModel(layersModelFixture);
    assert.deepEqual(weights.specs, [
      { name: 'hidden/kernel', shape: [3, 4] },
      { name: 'hidden/bias', shape: [4] },
      { name: 'output/kernel', shape: [4, 2] },
      { name: 'output/bias', shape: [2] },
    ]);
    const bytes = ['1', '2'].map((n) => readFileSync(join(layersModelFixture, `group1-shard${n}of2.bin`)));
    assert.deepEqual(Buffer.from(weights.values.buffer), Buffer.concat(bytes));
    assert.ok(typeof topology === 'object');
  });

  it('must not name a file outside of it', async (test) => {
    for (const path of ['../secret.bin', '/etc/passwd', 'a/../../b', 'C:\\x', '..\\x', '', 'a\0b', 7]) {
      const folder = changed(test, (json) => (json.weightsManifest[0].paths[1] = path));
      await refused(folder, /it must lie in the same folder/);
    }
  });

  it('must not lead out of itself by a link', async (test) => {
    const folder = changed(test, (json, place) => {
      mkdirSync(join(place, '..', 'elsewhere'));
      writeFileSync(join(place, '..', 'elsewhere', 'w.bin'), Buffer.alloc(54));
      symlinkSync(join(place, '..', 'elsewhere', 'w.bin'), join(place, 'link.bin'));
      json.weightsManifest[0].paths[1] = 'link.bin';
    });
    await refused(folder, /leads out of/);
  });

  it('must have as many bytes of weights as the shapes need', async (test) => {
    const short = changed(test, (_, folder) => writeFileSync(join(folder, 'group1-shard2of2.bin'), 'abc'));
    await refused(short, /are 53 bytes, and the shapes need 104/);
    const long = changed(test, (_, folder) =>
      writeFileSync(join(folder, 'group1-shard2of2.bin'), Buffer.alloc(1000)),
    );
    await refused(long, /longer than the shapes need/);
    const huge = changed(test, (json) => (json.weightsManifest[0].weights[0]['shape'] = [2 ** 40, 2 ** 12]));
    await refused(huge, /more than 268435456 weights/);
  });

  it('must be a LayersModel of plain float32 weights', async (test) => {
    const weight = (fields: object) =>
      changed(test, (json) => Object.assign(json.weightsManifest[0].weights[0], fields));
    await refused(weight({ dtype: 'int32' }), /must be plain float32/);
    await refused(weight({ quantization: { dtype: 'uint8' } }), /without quantization/);
    await refused(weight({ shape: [-1] }), /without a name or a shape/);
    await refused(weight({ name: 5 }), /without a name or a shape/);
    await refused(
      changed(test, (json) => delete json.modelTopology),
      /is no LayersModel/,
    );
    const graph = changed(test, (json) => {
      delete json.modelTopology;
      json.format = 'graph-model';
    });
    await refused(graph, /is a GraphModel/);
    const noJson = changed(test, () => undefined);
    writeFileSync(join(noJson, 'model.json'), '{');
    await refused(noJson, /is not JSON/);
  });

  it('is said to be unusable when a file is missing', async (test) => {
    const folder = changed(test, (json) => (json.weightsManifest[0].paths[0] = 'gone.bin'));
    await assert.rejects(readLayersModel(folder), { code: 'MILLRACE_FILE_UNUSABLE', message: /gone\.bin/ });
    await assert.rejects(readLayersModel(scratchFolder(test)), { code: 'MILLRACE_FILE_UNUSABLE' });
  });
});
