import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { packageRoot } from '../../src/config/package-root.js';

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-package-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

function pack(...args: readonly string[]): Packed {
  const output = execFileSync('npm', ['pack', '--json', '--ignore-scripts', ...args], {
    cwd: packageRoot,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return (JSON.parse(output) as Packed[])[0];
}

/** An empty project with the packed package in it; its dependencies stand one folder higher. */
function projectWithPackage(t: TestContext): string {
  const folder = temporaryFolder(t);
  const project = join(folder, 'project');
  const home = join(project, 'node_modules', 'millrace');
  mkdirSync(home, { recursive: true });
  const { filename } = pack('--pack-destination', folder);
  execFileSync('tar', ['xzf', join(folder, filename), '-C', home, '--strip-components=1']);
  symlinkSync(join(packageRoot, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(project, 'package.json'), '{"type": "module"}');
  return project;
}

const program = `
import { MillraceError, ModelPredictor, Normalizer, Pipeline, type FeatureMatrix, type Schema } from 'millrace';
const schema: Schema = { name: 'pairs', fields: [{ name: 'x', type: 'float' }], features: ['x'] };
const pipeline: Pipeline = new Pipeline([new Normalizer({})], [{ name: 'x' }]);
const model = {
  numFeatures: 1, inputShape: [1], numOutputs: 1,
  predictMany: (features: FeatureMatrix['data'], numRows: number) => Promise.resolve(features.slice(0, numRows)),
  close: () => Promise.resolve(),
};
const predictor = new ModelPredictor({ schema, pipeline, target: { kind: 'regression' }, model, name: 'a', version: 1 });
const [answer] = await predictor.predict([{ x: 2 }]);
console.log(JSON.stringify(answer), MillraceError.name);
`;

describe('the package', () => {
  it('holds what runs and what documents it, and nothing else', () => {
    const paths = pack('--dry-run').files.map(({ path }) => path);
    const odd = paths.filter(
      (path) =>
        !/^dist\/(src|producer|consumer|deploy)\/.*\.m?js$|^dist\/src\/.*\.d\.ts$|^docs\/.*\.md$/.test(
          path,
        ) &&
        !/^deploy\/.*\.(sh|xml|py|txt|json)$|^deploy\/.*SHA256SUMS$/.test(path) &&
        !/^(package\.json|README\.md|CHANGELOG\.md|LICENSE)$/.test(path),
    );
    assert.deepEqual(odd, []);
    for (const needed of ['dist/src/index.js', 'dist/src/index.d.ts', 'dist/deploy/millrace.js', 'LICENSE']) {
      assert.ok(paths.includes(needed), needed);
    }
  });

  it('can be imported, with types, and brings its command', (t) => {
    const project = projectWithPackage(t);
    writeFileSync(join(project, 'program.ts'), program);
    const compiler = join(packageRoot, 'node_modules', 'typescript', 'bin', 'tsc');
    const flags = ['--strict', '--module', 'nodenext', '--target', 'es2023', '--types', 'node'];
    execFileSync(process.execPath, [compiler, ...flags, 'program.ts'], { cwd: project, stdio: 'inherit' });
    const run = (...args: readonly string[]) =>
      execFileSync(process.execPath, [...args], { cwd: project, encoding: 'utf8' });
    assert.equal(run('program.js'), '{"prediction":[1],"model":"a","model_version":1} MillraceError\n');
    const { bin } = JSON.parse(readFileSync(join(project, 'node_modules/millrace/package.json'), 'utf8')) as {
      bin: { millrace: string };
    };
    const command = join(project, 'node_modules/millrace', bin.millrace);
    assert.ok(existsSync(command));
    assert.match(run(command, 'config', 'serve'), /^topic: observations # default$/m);
  });
});
