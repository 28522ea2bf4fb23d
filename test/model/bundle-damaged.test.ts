import assert from 'node:assert/strict';
import { readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { openBundle, readBundle } from '../../src/model/bundle.js';
import { listFiles } from '../../src/model/bundle-files.js';
import {
  bundleInvalid,
  forgeManifest,
  newFolderForEachTest,
  saveEvents,
  saveSavedModel,
} from '../helpers/event-bundle.js';
import { linearArtifact, openLinearModel } from '../helpers/linear-model.js';
import type { PlainModel } from '../helpers/plain-model.js';

let folder: string;
newFolderForEachTest((fresh) => (folder = fresh));

describe('a damaged bundle', () => {
  it('is refused whichever byte of whichever file is flipped', async () => {
    await saveEvents(folder);
    for (const file of await listFiles(folder)) {
      const path = join(folder, file);
      const content = await readFile(path);
      // Every byte of the small files, and a spread of places in the manifest.
      for (let place = 0; place < content.length; place += Math.ceil(content.length / 80)) {
        const flipped = Buffer.from(content);
        flipped[place] ^= 1 << (place % 8);
        await writeFile(path, flipped);
        await assert.rejects(readBundle(folder), bundleInvalid(/is refused/), `${file}, byte ${place}`);
      }
      await writeFile(path, content);
    }
    await readBundle(folder);
  });

  it('is refused when a file of its SavedModel is changed', async () => {
    await saveSavedModel(folder);
    for (const path of ['saved_model.pb', 'variables/variables.index']) {
      const file = join(folder, 'saved-model', path);
      const content = await readFile(file, 'utf8');
      await writeFile(file, content.toUpperCase());
      await assert.rejects(readBundle(folder), bundleInvalid(/was changed/));
      await writeFile(file, content);
    }
    await readBundle(folder);
  });

  it('is refused wherever a file is cut off or goes on', async () => {
    await saveEvents(folder);
    for (const file of await listFiles(folder)) {
      const path = join(folder, file);
      const content = await readFile(path);
      for (const length of [0, 1, content.length >> 1, content.length - 1]) {
        await writeFile(path, content.subarray(0, length));
        await assert.rejects(readBundle(folder), bundleInvalid(/is refused/), `${file}, ${length} bytes`);
      }
      await writeFile(path, Buffer.concat([content, Buffer.from('\n')]));
      await assert.rejects(readBundle(folder), bundleInvalid(/is refused/), `${file}, one byte more`);
      await writeFile(path, content);
    }
  });

  it('is refused for the size of a file before the file is read', async () => {
    await saveEvents(folder);
    await truncate(join(folder, 'weights.bin'), 2 ** 40);
    await assert.rejects(
      readBundle(folder),
      bundleInvalid(/"weights.bin" has 1099511627776 bytes and not 24/),
    );
  });

  it('is refused when a file is missing, too many, or no file', async () => {
    await saveEvents(folder);
    for (const file of await listFiles(folder)) {
      await rename(join(folder, file), join(dirname(folder), 'aside'));
      await assert.rejects(readBundle(folder), bundleInvalid(/is refused/), file);
      await rename(join(dirname(folder), 'aside'), join(folder, file));
    }
    await writeFile(join(folder, 'more.bin'), '');
    await assert.rejects(readBundle(folder), bundleInvalid(/"more.bin" does not belong to it/));
    await rm(join(folder, 'more.bin'));
    const outside = join(dirname(folder), 'weights.bin');
    await rename(join(folder, 'weights.bin'), outside);
    await symlink(outside, join(folder, 'weights.bin'));
    await assert.rejects(readBundle(folder), bundleInvalid(/"weights.bin" is neither a file nor a folder/));
  });

  it('is refused when it answers differently, and its model is closed', async () => {
    await saveEvents(folder);
    const models: PlainModel[] = [];
    const other = async () => {
      const model = await openLinearModel(linearArtifact(2, 2, Float32Array.from([0, 1.49, 0, -1, 0.25, 0])));
      models.push(model);
      return model;
    };
    await assert.rejects(openBundle(folder, other), bundleInvalid(/answers differently .* golden row 0/));
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
      await saveEvents(folder);
      await forgeManifest(folder, path, value);
      await assert.rejects(
        openBundle(folder, openLinearModel),
        bundleInvalid(/golden row \d: label . instead of ./),
      );
    }
  });
});
