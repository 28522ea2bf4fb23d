import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../../src/config/package-root.js';
import { generatedPages } from './pages.js';

for (const [path, text] of await generatedPages()) await writeFile(join(packageRoot, path), text);
