import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { globSync } from 'tinyglobby';
import { packageRoot } from '../src/config/package-root.js';

/** Folders from the bottom up; those of one row never import each other. */
const layers: readonly (readonly string[])[] = [
  ['src/errors.ts'],
  ['src/telemetry'],
  ['src/config'],
  ['src/record'],
  ['src/features', 'src/simulation'],
  ['src/model'],
  ['src/tensorflow', 'src/stream', 'src/parameter-server'],
  ['src/training', 'src/serving', 'src/dead-letters', 'src/web'],
  ['src/index.ts'],
  ['producer', 'consumer'],
  ['deploy'],
];

interface Import {
  readonly from: string;
  readonly to: string;
}

function localImports(): Import[] {
  const files = globSync(['src/**/*.ts', 'producer/**/*.ts', 'consumer/**/*.ts', 'deploy/**/*.ts'], {
    cwd: packageRoot,
  });
  return files.flatMap((file) => {
    const text = readFileSync(join(packageRoot, file), 'utf8');
    return [...text.matchAll(/\bfrom '(\.[^']+)'|\bimport\('(\.[^']+)'\)|^import '(\.[^']+)'/gm)].map(
      (match) => {
        const target = match[1] ?? match[2] ?? match[3];
        return {
          from: file,
          to: relative(packageRoot, resolve(packageRoot, dirname(file), target)).replace(/\.js$/, '.ts'),
        };
      },
    );
  });
}

function layerOf(file: string): { rank: number; room: string } {
  for (const [rank, rooms] of layers.entries()) {
    const room = rooms.find((each) => file === each || file.startsWith(`${each}/`));
    if (room !== undefined) return { rank, room };
  }
  throw new Error(`${file} stands in no folder of the table`);
}

describe('the structure', () => {
  const imports = localImports();

  it('has a folder for every file and imports one way only', () => {
    assert.ok(imports.length > 0);
    const wrong = imports.filter(({ from, to }) => {
      const [above, below] = [layerOf(from), layerOf(to)];
      return above.room !== below.room && above.rank <= below.rank;
    });
    assert.deepEqual(wrong, []);
  });

  it('has no import cycle between files', () => {
    const edges = new Map<string, Import[]>();
    for (const each of imports) edges.set(each.from, [...(edges.get(each.from) ?? []), each]);
    const done = new Set<string>();
    const visit = (file: string, path: readonly string[]): void => {
      const start = path.indexOf(file);
      assert.equal(start, -1, `import cycle: ${[...path.slice(start), file].join(' -> ')}`);
      if (done.has(file)) return;
      for (const { to } of edges.get(file) ?? []) visit(to, [...path, file]);
      done.add(file);
    };
    for (const file of edges.keys()) visit(file, []);
  });

  it('reads the environment in one file', () => {
    const files = globSync(['src/**/*.ts', 'producer/**/*.ts', 'consumer/**/*.ts', 'deploy/**/*.ts'], {
      cwd: packageRoot,
    });
    const readers = files.filter((file) =>
      readFileSync(join(packageRoot, file), 'utf8').match(/\bprocess\.env\b/),
    );
    assert.deepEqual(readers, ['src/config/environment.ts']);
  });
});
