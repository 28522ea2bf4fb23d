import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { readBundle, saveBundle } from '../../src/model/bundle.js';
import {
  bundleInvalid,
  eventContents,
  eventEnsemble,
  events,
  forgeManifest,
  forgeManifestText,
  goldenRowsOf,
  newFolderForEachTest,
  saveEvents,
} from '../helpers/event-bundle.js';

let folder: string;
newFolderForEachTest((fresh) => (folder = fresh));

describe('a forged bundle', () => {
  beforeEach(() => saveEvents(folder));

  const lies: readonly [what: string, path: string, value: unknown, message: RegExp][] = [
    ['of another format', 'format', 'zip', /"format"/],
    ['of a later format version', 'formatVersion', 2, /format version 2/],
    ['with a field nobody knows', 'extra', 1, /unknown field "extra"/],
    ['without a name', 'name', undefined, /"name"/],
    ['with a name that is a path', 'name', '../x', /name of up to 100 letters/],
    ['with a version that is no number', 'version', '1', /"version"/],
    ['with another schema', 'schema.features', ['y', 'x'], /than its fingerprint/],
    [
      'with a field called prototype',
      'schema.fields.4',
      { name: 'prototype', type: 'int' },
      /cannot be used/,
    ],
    ['with a pipeline that has unlearned', 'pipeline.transformers.0.state', undefined, /not fitted/],
    ['with an unknown transformer', 'pipeline.transformers.0.type', 'Sorcery', /"type"/],
    ['with a doubled label', 'target.vocabulary', ['b', 'b'], /each label of the vocabulary once/],
    ['without golden rows', 'golden', { observations: [], outputs: [], labels: [] }, /golden observations/],
    ['with too few golden outputs', 'golden.outputs', [[0, 1]], /golden observations/],
    ['with too few golden labels', 'golden.labels', ['b'], /needs a label/],
    ['with golden labels that are none', 'golden.labels', [1, 2], /needs a label/],
    ['with golden text', 'golden.outputs.0.0', '1', /golden observations/],
    ['with larger weights than the file', 'model.weights.0.shape', [2, 2, 2], /weights.bin with 40 bytes/],
    ['with weights without end', 'model.weights.0.shape', [1e9, 1e9], /more than 268435456/],
    ['with negative weights', 'model.weights.0.shape', [-1], /"shape"/],
    ['with an unknown layer', 'model.spec.layers.0.type', 'sorcery', /sorcery/],
    ['with an unknown model format', 'model.format', 'pickle', /"format"/],
    [
      'with a SavedModel elsewhere',
      'model',
      { format: 'saved-model', signature: 's' },
      /below saved-model only/,
    ],
    ['with no file', 'files', [], /"weights.bin" does not belong to it/],
    ['with a constructor', 'training.constructor', 1, /field "constructor"/],
    ...['../weights.bin', '/etc/passwd', 'a/../../b', 'a\\..\\b', 'C:/x', './x', 'a//b', '', 'a\u0000b'].map(
      (path): [string, string, unknown, RegExp] => [
        `with the path ${JSON.stringify(path)}`,
        'files.0.path',
        path,
        /leads out of the bundle/,
      ],
    ),
  ];
  for (const [what, path, value, message] of lies) {
    it(`is refused ${what}`, async () => {
      await forgeManifest(folder, path, value);
      await assert.rejects(readBundle(folder), bundleInvalid(message));
    });
  }

  const ensembleLies: readonly [what: string, path: string, value: unknown, message: RegExp][] = [
    ['with more members than weights', 'model.numMembers', 3, /does not have the weights of 3 models/],
    ['with members without end', 'model.numMembers', 1e6, /"numMembers"/],
    ['that answers in a way nobody knows', 'model.combination', 'shout', /one of average, vote/],
    ['with a field nobody knows', 'model.extra', 1, /unknown field "extra"/],
    ['that votes on a number', 'target', { kind: 'regression' }, /votes for classes/],
  ];
  for (const [what, path, value, message] of ensembleLies) {
    it(`is refused as an ensemble ${what}`, async () => {
      await saveBundle(folder, eventContents(eventEnsemble('vote')), await goldenRowsOf(events));
      await forgeManifest(folder, path, value);
      await assert.rejects(readBundle(folder), bundleInvalid(message));
    });
  }

  const texts: readonly [what: string, text: string, message: RegExp][] = [
    ['with a key out of Object', '{"training": {"__proto__": {"polluted": true}}}', /field "__proto__"/],
    ['that is nested without end', '['.repeat(1e6) + ']'.repeat(1e6), /./],
    ['that is no JSON', 'PK\u0003\u0004', /./],
    ['that is a list', '[]', /must be an object/],
    ['that is empty', '', /./],
  ];
  for (const [what, text, message] of texts) {
    it(`is refused ${what}`, async () => {
      await forgeManifestText(folder, text);
      await assert.rejects(readBundle(folder), bundleInvalid(message));
      assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false);
    });
  }

  it('is refused when it names a file twice', async () => {
    const { files } = await readBundle(folder);
    await forgeManifest(folder, 'files', [...files, ...files]);
    await assert.rejects(readBundle(folder), bundleInvalid(/named twice/));
  });

  it('is refused when its manifest is too large to be one', async () => {
    await forgeManifestText(folder, ' '.repeat(64 * 2 ** 20 + 1));
    await assert.rejects(readBundle(folder), bundleInvalid(/at most 67108864 are read/));
  });
});
