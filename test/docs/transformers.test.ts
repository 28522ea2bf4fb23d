import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { packageRoot } from '../../src/config/package-root.js';
import type { BinaryLabelOptions } from '../../src/features/transformers/binary-label.js';
import type { DenseOptions } from '../../src/features/transformers/dense.js';
import type { ImputerOptions } from '../../src/features/transformers/imputer.js';
import type { LabelIndexOptions } from '../../src/features/transformers/label-index.js';
import type { MinMaxOptions } from '../../src/features/transformers/min-max.js';
import type { NormalizerOptions } from '../../src/features/transformers/normalizer.js';
import type { OneHotOptions } from '../../src/features/transformers/one-hot.js';
import { transformerFromJSON, transformerTypes } from '../../src/features/transformers/registry.js';
import type { ReshapeOptions } from '../../src/features/transformers/reshape.js';
import type { StandardOptions } from '../../src/features/transformers/standard.js';
import type { StringIndexerOptions } from '../../src/features/transformers/string-indexer.js';
import type { VectorAssemblerOptions } from '../../src/features/transformers/vector-assembler.js';
import { readBundle } from '../../src/model/bundle.js';
import { runProgram } from '../helpers/program.js';
import { scratchFolder } from '../helpers/scratch.js';

interface OptionsByType {
  BinaryLabel: BinaryLabelOptions;
  Dense: DenseOptions;
  Imputer: ImputerOptions;
  LabelIndex: LabelIndexOptions;
  MinMax: MinMaxOptions;
  Normalizer: NormalizerOptions;
  OneHot: OneHotOptions;
  Reshape: ReshapeOptions;
  Standard: StandardOptions;
  StringIndexer: StringIndexerOptions;
  VectorAssembler: VectorAssemblerOptions;
}

/** Every option of every type: one that is added does not compile until it stands here. */
const everyOption: { readonly [T in keyof OptionsByType]: Required<OptionsByType[T]> } = {
  BinaryLabel: { columns: ['a'], label: 's' },
  Dense: { columns: ['a'] },
  Imputer: { columns: ['a'], missing: [-999], strategy: 'constant', value: 1 },
  LabelIndex: { columns: ['a'], defaultIndex: 1, activationThreshold: 0.5, outputColumn: 'index' },
  MinMax: { columns: ['a'], oMin: 0, oMax: 2, nMin: -1, nMax: 1 },
  Normalizer: { columns: ['a'], p: 1 },
  OneHot: { columns: ['a'], size: 3 },
  Reshape: { shape: [2, 2] },
  Standard: { columns: ['a'], withMean: false, withStd: false },
  StringIndexer: { columns: ['a'], order: 'value', unseen: 'keep' },
  VectorAssembler: { columns: ['a'] },
};

const page = readFileSync(join(packageRoot, 'docs/reference/transformers.md'), 'utf8');

/** The part of the page below the heading of a type. */
function sectionOf(type: string): string {
  const section = page.split(/^## /m).find((part) => part.startsWith(`${type}\n`));
  assert.ok(section !== undefined, `the page has no section "${type}"`);
  return section;
}

function block(language: string): string {
  return new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, 'm').exec(page)![1];
}

describe('the page about transformers', () => {
  it('has every registered type, and no option but those that it takes', () => {
    assert.deepEqual(Object.keys(everyOption).sort(), [...transformerTypes].sort());
    for (const [type, options] of Object.entries(everyOption)) {
      assert.deepEqual(transformerFromJSON({ type, options }).toJSON().options, options);
      const cells = [...sectionOf(type).matchAll(/^\| (`[^|]*`) \|/gm)].map(([, cell]) => cell);
      const named = cells.flatMap((cell) => cell.replaceAll('`', '').split(', '));
      assert.deepEqual(named.sort(), Object.keys(options).sort(), type);
    }
  });

  it('has an example that works', async (t) => {
    const folder = scratchFolder(t);
    writeFileSync(join(folder, 'passengers.csv'), block('csv'));
    writeFileSync(join(folder, 'pipeline.json'), block('json'));
    const [program, ...args] = block('sh').trim().split(' ');
    assert.equal(program, 'millrace');
    const inFolder = args.map((arg) => (/[./]/.test(arg) ? join(folder, arg) : arg));
    const { code, stderr } = await runProgram(inFolder, { MILLRACE_BACKEND: 'wasm' });
    assert.equal(code, 0, stderr);
    const { pipeline } = await readBundle(join(folder, 'models/passengers'));
    assert.deepEqual(
      pipeline.outputColumns.map(({ name }) => name),
      ['age', 'fare', 'port[0]', 'port[1]', 'port[2]', 'port[3]'],
    );
  });
});
