import assert from 'node:assert/strict';
import { cp, mkdir, readFile, readdir, rename, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { checkBundlePlace, readBundle, saveBundle } from '../../src/model/bundle.js';
import { takeGoldenRows } from '../../src/model/golden-rows.js';
import { ModelPredictor } from '../../src/model/predictor.js';
import {
  bundleInvalid,
  eventArtifact,
  eventContents,
  events,
  goldenRowsOf,
  newFolderForEachTest,
  saveEvents,
} from '../helpers/event-bundle.js';
import { openLinearModel } from '../helpers/linear-model.js';

let folder: string;
newFolderForEachTest((fresh) => (folder = fresh));

describe('saving a bundle', () => {
  it('replaces a bundle and leaves nothing beside it', async () => {
    await saveEvents(folder);
    await saveEvents(folder, eventContents(eventArtifact, 2));
    assert.equal((await readBundle(folder)).version, 2);
    assert.deepEqual(await readdir(dirname(folder)), ['bundle']);
  });

  it('writes through a link to the place it points at', async () => {
    await saveEvents(folder);
    await symlink(folder, join(dirname(folder), 'current'));
    await saveEvents(join(dirname(folder), 'current'), eventContents(eventArtifact, 2));
    assert.equal((await readBundle(folder)).version, 2);
    assert.deepEqual((await readdir(dirname(folder))).sort(), ['bundle', 'current']);
  });

  it('leaves what stood there when it cannot be done', async () => {
    await saveEvents(folder);
    assert.ok(eventArtifact.format === 'spec');
    const wrong = { ...eventArtifact, weights: { ...eventArtifact.weights, values: new Float32Array(5) } };
    await assert.rejects(saveBundle(folder, eventContents(wrong), await goldenRowsOf(events)), {
      code: 'MILLRACE_MODEL_INVALID',
    });
    await assert.rejects(saveBundle(folder, { ...events, name: '../up' }, await goldenRowsOf(events)), {
      code: 'MILLRACE_BUNDLE_INVALID',
    });
    assert.equal((await readBundle(folder)).version, 1);
    assert.deepEqual(await readdir(dirname(folder)), ['bundle']);
  });

  it('does not replace a folder or file that is no bundle', async () => {
    await mkdir(folder);
    await writeFile(join(folder, 'thesis.txt'), 'the only copy');
    await assert.rejects(saveEvents(folder), {
      code: 'MILLRACE_FILE_UNUSABLE',
      message: /is no model bundle/,
    });
    assert.equal(await readFile(join(folder, 'thesis.txt'), 'utf8'), 'the only copy');
    await assert.rejects(saveEvents(join(folder, 'thesis.txt')), { code: 'MILLRACE_FILE_UNUSABLE' });
    await assert.rejects(saveEvents(join(folder, 'thesis.txt', 'below')), { code: 'MILLRACE_FILE_UNUSABLE' });
  });

  it('can be refused before there is something to save', async () => {
    await checkBundlePlace(folder);
    await saveEvents(folder);
    await checkBundlePlace(folder);
    await assert.rejects(checkBundlePlace(dirname(folder)), { code: 'MILLRACE_FILE_UNUSABLE' });
    await assert.rejects(checkBundlePlace(join(folder, 'weights.bin', 'below')), {
      code: 'MILLRACE_FILE_UNUSABLE',
    });
  });

  it('finds the old bundle after a crash between the two renames, and clears up at the next saving', async () => {
    await saveEvents(folder);
    await rename(folder, join(dirname(folder), '.bundle.previous'));
    assert.equal((await readBundle(folder)).version, 1);
    await saveEvents(folder, eventContents(eventArtifact, 2));
    assert.equal((await readBundle(folder)).version, 2);
    assert.deepEqual(await readdir(dirname(folder)), ['bundle']);
  });

  it('says where there is none', async () => {
    await assert.rejects(readBundle(folder), {
      code: 'MILLRACE_FILE_UNUSABLE',
      message: /There is no model bundle/,
    });
    await mkdir(folder);
    await assert.rejects(readBundle(folder), bundleInvalid(/manifest.json/));
    await saveEvents(folder);
    await cp(folder, `${folder}-copy`, { recursive: true });
    assert.equal((await readBundle(`${folder}-copy`)).name, 'events');
  });

  it('takes no golden row from rows that all fail', async () => {
    const predictor = new ModelPredictor({ ...events, model: await openLinearModel(eventArtifact) });
    await assert.rejects(takeGoldenRows(predictor, [{ id: 1 }]), { code: 'MILLRACE_BUNDLE_INVALID' });
  });
});
