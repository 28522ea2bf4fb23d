import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { programs } from '../../deploy/programs.js';
import { packageRoot } from '../../src/config/package-root.js';
import { configurationReference } from './configuration.js';
import { environmentExample } from './environment-example.js';
import { errorReference } from './errors.js';
import { httpReference } from './http.js';
import { fillGenerated } from './markdown.js';
import { metricsReference } from './metrics.js';

/** Every file that has a generated part, by its path from the root, with the text that it should have. */
export async function generatedPages(): Promise<ReadonlyMap<string, string>> {
  const parts = {
    'docs/reference/configuration.md': configurationReference(programs),
    'docs/reference/errors.md': errorReference(),
    'docs/reference/metrics.md': await metricsReference(),
    'docs/reference/http.md': await httpReference(),
  };
  const pages = new Map([['.env.example', environmentExample(programs)]]);
  for (const [path, part] of Object.entries(parts)) {
    pages.set(path, fillGenerated(await readFile(join(packageRoot, path), 'utf8'), part));
  }
  return pages;
}
