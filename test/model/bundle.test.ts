import assert from 'node:assert/strict';
import { readFile, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import type { ModelArtifact } from '../../src/model/artifact.js';
import { openBundle, readBundle, saveBundle } from '../../src/model/bundle.js';
import { listFiles, sha256 } from '../../src/model/bundle-files.js';
import { ModelPredictor } from '../../src/model/predictor.js';
import {
  eventArtifact,
  eventContents,
  eventEnsemble,
  eventRows,
  eventSchema,
  events,
  goldenRowsOf,
  newFolderForEachTest,
  saveEvents,
  saveSavedModel,
} from '../helpers/event-bundle.js';
import { openLinearModel } from '../helpers/linear-model.js';

let folder: string;
newFolderForEachTest((fresh) => (folder = fresh));

describe('a model bundle', () => {
  it('answers after opening what it answered when it was saved', async () => {
    const fingerprint = await saveEvents(folder);
    const bundle = await openBundle(folder, openLinearModel);
    assert.equal(bundle.fingerprint, fingerprint);
    assert.deepEqual(bundle.schema, eventSchema);
    assert.deepEqual(bundle.training, events.training);
    assert.equal(JSON.stringify(bundle.pipeline), JSON.stringify(events.pipeline));
    assert.deepEqual(bundle.artifact, eventArtifact);
    const model = await openLinearModel(eventArtifact);
    const predictor = new ModelPredictor({ ...events, model });
    assert.deepEqual(await bundle.predictor.predict(eventRows), await predictor.predict(eventRows));
  });

  it('is a folder of a readable manifest, its digest and little-endian weights', async () => {
    const fingerprint = await saveEvents(folder);
    assert.deepEqual(await listFiles(folder), ['manifest.json', 'manifest.json.sha256', 'weights.bin']);
    const manifest = await readFile(join(folder, 'manifest.json'), 'utf8');
    assert.equal(sha256(manifest), fingerprint);
    assert.equal(
      await readFile(join(folder, 'manifest.json.sha256'), 'utf8'),
      `${fingerprint}  manifest.json\n`,
    );
    assert.deepEqual(Object.keys(JSON.parse(manifest) as object), [
      'format',
      'formatVersion',
      'name',
      'version',
      'schema',
      'schemaFingerprint',
      'target',
      'pipeline',
      'model',
      'training',
      'golden',
      'files',
    ]);
    const weights = await readFile(join(folder, 'weights.bin'));
    assert.deepEqual(
      [0, 1, 2, 3, 4, 5].map((index) => weights.readFloatLE(4 * index)),
      [0, 1.5, 0, -1, 0.25, 0],
    );
  });

  it('has the same fingerprint for the same contents', async () => {
    assert.equal(await saveEvents(folder), await saveEvents(join(dirname(folder), 'again')));
  });

  it('keeps the topology of a layers model', async () => {
    const topology = { class_name: 'Sequential', config: { layers: [] } };
    const layers: ModelArtifact = { format: 'layers-model', topology, weights: eventArtifact.weights };
    await saveBundle(folder, eventContents(layers), await goldenRowsOf(events));
    assert.deepEqual((await readBundle(folder)).artifact, layers);
  });

  it('keeps the members of an ensemble in one vector, and how they answer together', async () => {
    const ensemble = eventEnsemble('vote');
    await saveBundle(folder, eventContents(ensemble), await goldenRowsOf(events));
    assert.deepEqual((await readBundle(folder)).artifact, ensemble);
    const { files } = await readBundle(folder);
    assert.deepEqual(
      files.map(({ path, bytes }) => [path, bytes]),
      [['weights.bin', 2 * 6 * 4]],
    );
  });

  it('keeps the files of a SavedModel in a folder of their own', async () => {
    await saveSavedModel(folder);
    const bundle = await readBundle(folder);
    assert.ok(bundle.artifact.format === 'saved-model');
    assert.equal(bundle.artifact.signature, 'serving_default');
    assert.deepEqual(await listFiles(bundle.artifact.folder), [
      'saved_model.pb',
      'variables/variables.index',
    ]);
  });

  it('is found by a link to it', async () => {
    await saveEvents(folder);
    await symlink(folder, `${folder}-link`);
    assert.equal((await readBundle(`${folder}-link`)).name, 'events');
  });
});
