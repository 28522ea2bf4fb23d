import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { runCommand } from '../../deploy/bootstrap/command.mjs';
import { packageRoot } from '../../src/config/package-root.js';

const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
const project = mkdtempSync(join(tmpdir(), 'millrace-project-'));
const example = `
import {
  MillraceError, ModelPredictor, Normalizer, Pipeline, type ErrorCode, type FeatureMatrix, type Schema,
} from 'millrace';

const schema: Schema = { name: 'pairs', fields: [{ name: 'x', type: 'float' }], features: ['x'] };
const pipeline: Pipeline = new Pipeline([new Normalizer({})], [{ name: 'x' }]);
const model = {
  numFeatures: 1, inputShape: [1], numOutputs: 1,
  predictMany: (features: FeatureMatrix['data'], numRows: number) => Promise.resolve(features.slice(0, numRows)),
  close: () => Promise.resolve(),
};
const predictor = new ModelPredictor({ schema, pipeline, target: { kind: 'regression' }, model, name: 'a', version: 1 });
const [answer] = await predictor.predict([{ x: 2 }]);
const code: ErrorCode = 'MILLRACE_INTERNAL';
// @ts-expect-error: a code that is not in the table
const wrong: ErrorCode = 'MILLRACE_NO_SUCH_CODE';
console.log(JSON.stringify(answer), new MillraceError(code, wrong).name);
`;

describe('the package, installed into an empty project', () => {
  before(async () => {
    const packed = join(project, 'packed');
    mkdirSync(packed);
    await runCommand('npm', ['pack', ...quiet, '--pack-destination', packed], { cwd: packageRoot });
    const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as {
      version: string;
    };
    writeFileSync(join(project, 'package.json'), JSON.stringify({ type: 'module', private: true }));
    const tarball = join(packed, `millrace-${version}.tgz`);
    await runCommand('npm', ['install', ...quiet, '--prefer-offline', tarball], { cwd: project });
  });
  after(() => rmSync(project, { recursive: true, force: true }));

  it('imports with types that are checked', async () => {
    writeFileSync(join(project, 'example.mts'), example);
    const compiler = join(packageRoot, 'node_modules', 'typescript', 'bin', 'tsc');
    const flags = ['--module', 'nodenext', '--target', 'es2023', '--strict', '--skipLibCheck'];
    const types = ['--typeRoots', join(packageRoot, 'node_modules', '@types'), '--types', 'node'];
    await runCommand(process.execPath, [compiler, ...flags, ...types, 'example.mts'], { cwd: project });
    const output = await runCommand(process.execPath, ['example.mjs'], { cwd: project });
    assert.equal(output, '{"prediction":[1],"model":"a","model_version":1} MillraceError\n');
  });

  it('prepares TensorFlow and examines the machine by npx', async () => {
    const npx = (...args: string[]) =>
      runCommand('npx', ['--no', '--', 'millrace', ...args], { cwd: project });
    assert.match(await npx('setup'), /^(Native TensorFlow is ready in|WebAssembly is ready)/);
    const { healthy } = JSON.parse(await npx('doctor', '--json')) as { healthy: boolean };
    assert.equal(healthy, true);
    assert.match(await npx('config', 'serve'), /^topic: observations # default$/m);
  });
});
