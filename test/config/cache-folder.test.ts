import assert from 'node:assert/strict';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { cacheFolder } from '../../src/config/cache-folder.js';

describe('the cache folder', () => {
  it('is the one that was given, made absolute', () => {
    assert.equal(cacheFolder('here', { XDG_CACHE_HOME: '/xdg' }), resolve('here'));
  });

  it('follows XDG_CACHE_HOME', () => {
    assert.equal(cacheFolder(undefined, { XDG_CACHE_HOME: '/xdg' }), '/xdg/millrace');
  });

  it('is ~/.cache/millrace otherwise', () => {
    assert.equal(cacheFolder(undefined, {}), join(homedir(), '.cache', 'millrace'));
  });
});
