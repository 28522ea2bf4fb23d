import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fillGenerated, table } from '../../docs/generator/markdown.js';

const begin = '<!-- generated: `npm run docs` writes what follows -->';
const end = '<!-- generated: end -->';

describe('a page with a generated part', () => {
  it('keeps what people wrote around it', () => {
    assert.equal(
      fillGenerated(`before\n${begin}\nold\n${end}\nafter\n`, 'new'),
      `before\n${begin}\nnew\n${end}\nafter\n`,
    );
  });

  it('is refused without its marks', () => {
    assert.throws(() => fillGenerated('before\nafter\n', 'new'), /needs the lines/);
    assert.throws(() => fillGenerated(`${end}\n${begin}`, 'new'), /needs the lines/);
  });

  it('has tables whose cells may hold bars', () => {
    assert.equal(table(['a', 'b'], [['x|y', 'z']]), '| a | b |\n| --- | --- |\n| x\\|y | z |');
  });
});
