import assert from 'node:assert/strict';
import {
  cp,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  rename,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { Pipeline } from '../../src/features/pipeline.js';
import { schemaColumns } from '../../src/features/row-reader.js';
import { RowFaults } from '../../src/features/row-faults.js';
import { featureMatrix } from '../../src/features/feature-matrix.js';
import { LabelIndexTransformer } from '../../src/features/transformers/label-index.js';
import { StandardTransformer } from '../../src/features/transformers/standard.js';
import type { ModelArtifact } from '../../src/model/artifact.js';
import {
  checkBundlePlace,
  openBundle,
  readBundle,
  saveBundle,
  type BundleContents,
} from '../../src/model/bundle.js';
import { listFiles, sha256 } from '../../src/model/bundle-files.js';
import { takeGoldenRows } from '../../src/model/golden-rows.js';
import { ModelPredictor } from '../../src/model/predictor.js';
import type { Schema } from '../../src/record/schema.js';
import { linearArtifact, openLinearModel } from '../helpers/linear-model.js';
import type { PlainModel } from '../helpers/plain-model.js';

const schema: Schema = {
  name: 'events',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'x', type: 'float' },
    { name: 'y', type: 'float' },
    { name: 'label', type: 'string', nullable: true },
  ],
  key: 'id',
  label: 'label',
  features: ['x', 'y'],
};
const rows = [
  { id: 1, x: 2, y: 0.5 },
  { id: 2, x: 0, y: 2 },
];
const invalid = (message: RegExp) => ({ code: 'MILLRACE_BUNDLE_INVALID', message });

function contentsWith(artifact: ModelArtifact, version = 1): BundleContents {
  const pipeline = new Pipeline([new StandardTransformer()], schemaColumns(schema));
  const batch = featureMatrix(pipeline.inputColumns, 2, Float32Array.from([2, 0.5, 0, 2]));
  pipeline.partialFit(0, { features: batch, faults: new RowFaults(), keys: [] });
  return {
    name: 'events',
    version,
    schema,
    pipeline,
    target: {
      kind: 'classification',
      vocabulary: ['b', 's'],
      labelIndex: new LabelIndexTransformer().toJSON(),
    },
    artifact,
    training: { numRows: 2, history: [{ loss: 0.5 }] },
  };
}

async function goldenOf(contents: BundleContents) {
  const model = await openLinearModel(contents.artifact);
  return takeGoldenRows(new ModelPredictor({ ...contents, model }), rows);
}

const artifact = linearArtifact(2, 2, Float32Array.from([0, 1.5, 0, -1, 0.25, 0]));
const contents = contentsWith(artifact);
let root: string;
let folder: string;

async function save(target: string, what = contents): Promise<string> {
  return saveBundle(target, what, await goldenOf(what));
}

/** Puts a value into the manifest, such as at `model.weights.0.shape` (undefined: takes it out). */
async function forge(path: string, value: unknown): Promise<void> {
  const file = join(folder, 'manifest.json');
  const manifest = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
  const steps = path.split('.');
  let place = manifest;
  for (const step of steps.slice(0, -1)) place = place[step] as Record<string, unknown>;
  place[steps.at(-1)!] = value;
  await forgeText(JSON.stringify(manifest));
}

/** Changes the manifest and the digest with it, as someone would who knows the format. */
async function forgeText(text: string): Promise<void> {
  await writeFile(join(folder, 'manifest.json'), text);
  await writeFile(join(folder, 'manifest.json.sha256'), `${sha256(text)}  manifest.json\n`);
}

/** Saves a bundle with the files of a SavedModel, and removes where they came from. */
async function saveSavedModel(): Promise<void> {
  const from = join(dirname(folder), 'saved');
  await mkdir(join(from, 'variables'), { recursive: true });
  await writeFile(join(from, 'saved_model.pb'), 'graph');
  await writeFile(join(from, 'variables/variables.index'), 'index');
  const saved: ModelArtifact = { format: 'saved-model', folder: from, signature: 'serving_default' };
  await saveBundle(folder, contentsWith(saved), await goldenOf(contents));
  await rm(from, { recursive: true });
}

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'millrace-bundle-'));
});
after(() => rm(root, { recursive: true, force: true }));
beforeEach(async () => {
  folder = join(await mkdtemp(join(root, 'case-')), 'bundle');
});

describe('a model bundle', () => {
  it('answers after opening what it answered when it was saved', async () => {
    const fingerprint = await save(folder);
    const bundle = await openBundle(folder, openLinearModel);
    assert.equal(bundle.fingerprint, fingerprint);
    assert.deepEqual(bundle.schema, schema);
    assert.deepEqual(bundle.training, contents.training);
    assert.equal(JSON.stringify(bundle.pipeline), JSON.stringify(contents.pipeline));
    assert.deepEqual(bundle.artifact, artifact);
    const model = await openLinearModel(artifact);
    const predictor = new ModelPredictor({ ...contents, model });
    assert.deepEqual(await bundle.predictor.predict(rows), await predictor.predict(rows));
  });

  it('is a folder of a readable manifest, its digest and little-endian weights', async () => {
    const fingerprint = await save(folder);
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
    assert.equal(await save(folder), await save(join(dirname(folder), 'again')));
  });

  it('keeps the topology of a layers model', async () => {
    const topology = { class_name: 'Sequential', config: { layers: [] } };
    assert.ok(artifact.format === 'spec');
    const layers: ModelArtifact = { format: 'layers-model', topology, weights: artifact.weights };
    await saveBundle(folder, contentsWith(layers), await goldenOf(contents));
    assert.deepEqual((await readBundle(folder)).artifact, layers);
  });

  it('keeps the files of a SavedModel in a folder of their own', async () => {
    await saveSavedModel();
    const bundle = await readBundle(folder);
    assert.ok(bundle.artifact.format === 'saved-model');
    assert.equal(bundle.artifact.signature, 'serving_default');
    assert.deepEqual(await listFiles(bundle.artifact.folder), [
      'saved_model.pb',
      'variables/variables.index',
    ]);
  });

  it('is found by a link to it', async () => {
    await save(folder);
    await symlink(folder, `${folder}-link`);
    assert.equal((await readBundle(`${folder}-link`)).name, 'events');
  });
});

describe('a damaged bundle', () => {
  it('is refused whichever byte of whichever file is flipped', async () => {
    await save(folder);
    for (const file of await listFiles(folder)) {
      const path = join(folder, file);
      const content = await readFile(path);
      // Every byte of the small files, and a spread of places in the manifest.
      for (let place = 0; place < content.length; place += Math.ceil(content.length / 80)) {
        const flipped = Buffer.from(content);
        flipped[place] ^= 1 << (place % 8);
        await writeFile(path, flipped);
        await assert.rejects(readBundle(folder), invalid(/is refused/), `${file}, byte ${place}`);
      }
      await writeFile(path, content);
    }
    await readBundle(folder);
  });

  it('is refused when a file of its SavedModel is changed', async () => {
    await saveSavedModel();
    for (const path of ['saved_model.pb', 'variables/variables.index']) {
      const file = join(folder, 'saved-model', path);
      const content = await readFile(file, 'utf8');
      await writeFile(file, content.toUpperCase());
      await assert.rejects(readBundle(folder), invalid(/was changed/));
      await writeFile(file, content);
    }
    await readBundle(folder);
  });

  it('is refused wherever a file is cut off or goes on', async () => {
    await save(folder);
    for (const file of await listFiles(folder)) {
      const path = join(folder, file);
      const content = await readFile(path);
      for (const length of [0, 1, content.length >> 1, content.length - 1]) {
        await writeFile(path, content.subarray(0, length));
        await assert.rejects(readBundle(folder), invalid(/is refused/), `${file}, ${length} bytes`);
      }
      await writeFile(path, Buffer.concat([content, Buffer.from('\n')]));
      await assert.rejects(readBundle(folder), invalid(/is refused/), `${file}, one byte more`);
      await writeFile(path, content);
    }
  });

  it('is refused for the size of a file before the file is read', async () => {
    await save(folder);
    await truncate(join(folder, 'weights.bin'), 2 ** 40);
    await assert.rejects(readBundle(folder), invalid(/"weights.bin" has 1099511627776 bytes and not 24/));
  });

  it('is refused when a file is missing, too many, or no file', async () => {
    await save(folder);
    for (const file of await listFiles(folder)) {
      await rename(join(folder, file), join(dirname(folder), 'aside'));
      await assert.rejects(readBundle(folder), invalid(/is refused/), file);
      await rename(join(dirname(folder), 'aside'), join(folder, file));
    }
    await writeFile(join(folder, 'more.bin'), '');
    await assert.rejects(readBundle(folder), invalid(/"more.bin" does not belong to it/));
    await rm(join(folder, 'more.bin'));
    const outside = join(dirname(folder), 'weights.bin');
    await rename(join(folder, 'weights.bin'), outside);
    await symlink(outside, join(folder, 'weights.bin'));
    await assert.rejects(readBundle(folder), invalid(/"weights.bin" is neither a file nor a folder/));
  });

  it('is refused when it answers differently, and its model is closed', async () => {
    await save(folder);
    const models: PlainModel[] = [];
    const other = async () => {
      const model = await openLinearModel(linearArtifact(2, 2, Float32Array.from([0, 1.49, 0, -1, 0.25, 0])));
      models.push(model);
      return model;
    };
    await assert.rejects(openBundle(folder, other), invalid(/answers differently .* golden row 0/));
    assert.deepEqual(
      models.map(({ isClosed }) => isClosed),
      [true],
    );
  });

  it('is refused when it calls the same outputs by other labels', async () => {
    for (const [path, value] of [
      ['target.vocabulary', ['s', 'b']],
      ['target.labelIndex.options.activationThreshold', 0],
    ] as const) {
      await save(folder);
      await forge(path, value);
      await assert.rejects(
        openBundle(folder, openLinearModel),
        invalid(/golden row \d: label . instead of ./),
      );
    }
  });
});

describe('a forged bundle', () => {
  beforeEach(() => save(folder));

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
      await forge(path, value);
      await assert.rejects(readBundle(folder), invalid(message));
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
      await forgeText(text);
      await assert.rejects(readBundle(folder), invalid(message));
      assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false);
    });
  }

  it('is refused when it names a file twice', async () => {
    const { files } = await readBundle(folder);
    await forge('files', [...files, ...files]);
    await assert.rejects(readBundle(folder), invalid(/named twice/));
  });

  it('is refused when its manifest is too large to be one', async () => {
    await forgeText(' '.repeat(64 * 2 ** 20 + 1));
    await assert.rejects(readBundle(folder), invalid(/at most 67108864 are read/));
  });
});

describe('saving a bundle', () => {
  it('replaces a bundle and leaves nothing beside it', async () => {
    await save(folder);
    await save(folder, contentsWith(artifact, 2));
    assert.equal((await readBundle(folder)).version, 2);
    assert.deepEqual(await readdir(dirname(folder)), ['bundle']);
  });

  it('writes through a link to the place it points at', async () => {
    await save(folder);
    await symlink(folder, join(dirname(folder), 'current'));
    await save(join(dirname(folder), 'current'), contentsWith(artifact, 2));
    assert.equal((await readBundle(folder)).version, 2);
    assert.deepEqual((await readdir(dirname(folder))).sort(), ['bundle', 'current']);
  });

  it('leaves what stood there when it cannot be done', async () => {
    await save(folder);
    assert.ok(artifact.format === 'spec');
    const wrong = { ...artifact, weights: { ...artifact.weights, values: new Float32Array(5) } };
    await assert.rejects(saveBundle(folder, contentsWith(wrong), await goldenOf(contents)), {
      code: 'MILLRACE_MODEL_INVALID',
    });
    await assert.rejects(saveBundle(folder, { ...contents, name: '../up' }, await goldenOf(contents)), {
      code: 'MILLRACE_BUNDLE_INVALID',
    });
    assert.equal((await readBundle(folder)).version, 1);
    assert.deepEqual(await readdir(dirname(folder)), ['bundle']);
  });

  it('does not replace a folder or file that is no bundle', async () => {
    await mkdir(folder);
    await writeFile(join(folder, 'thesis.txt'), 'the only copy');
    await assert.rejects(save(folder), { code: 'MILLRACE_FILE_UNUSABLE', message: /is no model bundle/ });
    assert.equal(await readFile(join(folder, 'thesis.txt'), 'utf8'), 'the only copy');
    await assert.rejects(save(join(folder, 'thesis.txt')), { code: 'MILLRACE_FILE_UNUSABLE' });
    await assert.rejects(save(join(folder, 'thesis.txt', 'below')), { code: 'MILLRACE_FILE_UNUSABLE' });
  });

  it('can be refused before there is something to save', async () => {
    await checkBundlePlace(folder);
    await save(folder);
    await checkBundlePlace(folder);
    await assert.rejects(checkBundlePlace(dirname(folder)), { code: 'MILLRACE_FILE_UNUSABLE' });
    await assert.rejects(checkBundlePlace(join(folder, 'weights.bin', 'below')), {
      code: 'MILLRACE_FILE_UNUSABLE',
    });
  });

  it('finds the old bundle after a crash between the two renames, and clears up at the next saving', async () => {
    await save(folder);
    await rename(folder, join(dirname(folder), '.bundle.previous'));
    assert.equal((await readBundle(folder)).version, 1);
    await save(folder, contentsWith(artifact, 2));
    assert.equal((await readBundle(folder)).version, 2);
    assert.deepEqual(await readdir(dirname(folder)), ['bundle']);
  });

  it('says where there is none', async () => {
    await assert.rejects(readBundle(folder), {
      code: 'MILLRACE_FILE_UNUSABLE',
      message: /There is no model bundle/,
    });
    await mkdir(folder);
    await assert.rejects(readBundle(folder), invalid(/manifest.json/));
    await save(folder);
    await cp(folder, `${folder}-copy`, { recursive: true });
    assert.equal((await readBundle(`${folder}-copy`)).name, 'events');
  });

  it('takes no golden row from rows that all fail', async () => {
    const predictor = new ModelPredictor({ ...contents, model: await openLinearModel(artifact) });
    await assert.rejects(takeGoldenRows(predictor, [{ id: 1 }]), { code: 'MILLRACE_BUNDLE_INVALID' });
  });
});
