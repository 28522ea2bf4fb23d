import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { readEnvironment, type Environment } from './environment.js';
import { defineOptions } from './options.js';

/** Where everything is kept that was downloaded or built once: native TensorFlow, the jars of the embedded broker. */
export const cacheOptions = defineOptions({
  cache: {
    type: 'string',
    placeholder: 'FOLDER',
    description:
      'Folder for what is downloaded or built once (default $XDG_CACHE_HOME/millrace or ~/.cache/millrace)',
    section: 'Process',
  },
});

/**
 * The cache folder: `given` (the option `cache`) if there is one, else `$XDG_CACHE_HOME/millrace`, else
 * `~/.cache/millrace`. Absolute; it need not exist yet.
 */
export function cacheFolder(given?: string, environment: Environment = readEnvironment()): string {
  if (given !== undefined) return resolve(given);
  return join(environment['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'millrace');
}
