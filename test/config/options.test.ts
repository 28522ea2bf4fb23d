import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import {
  compileOptions,
  defineOptions,
  environmentName,
  flagName,
  refuseTogether,
  required,
  resolveOptions,
  type RawOptions,
} from '../../src/config/options.js';
import { MillraceError } from '../../src/errors.js';

const table = defineOptions({
  format: { type: 'string', choices: ['json', 'avro'], default: 'json', description: 'Format' },
  label: { type: 'string', description: 'Label' },
  maxRows: { type: 'integer', default: 10, min: 1, max: 100, description: 'Rows' },
  rate: { type: 'number', min: 0, description: 'Rate' },
  loop: { type: 'boolean', default: false, description: 'Loop' },
  create: { type: 'boolean', default: true, description: 'Create' },
  drop: { type: 'list', default: [], description: 'Drop' },
  password: { type: 'string', secret: true, description: 'Password' },
});

function refuses(raw: RawOptions, message: string): void {
  assert.throws(
    () => compileOptions(table, raw),
    (error: MillraceError) => {
      assert.ok(error instanceof MillraceError);
      assert.equal(error.code, 'MILLRACE_CONFIG_INVALID');
      assert.equal(error.exitCode, 2);
      assert.equal(error.message, message);
      return true;
    },
  );
}

function secretFile(t: TestContext, content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-options-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'secret'), content);
  return join(folder, 'secret');
}

describe('compiled options', () => {
  it('are the defaults when nothing is given', () => {
    assert.deepEqual(compileOptions(table, {}), {
      format: 'json',
      label: undefined,
      maxRows: 10,
      rate: undefined,
      loop: false,
      create: true,
      drop: [],
      password: undefined,
    });
  });

  it('come from the flag, then the environment, then the file, then the default', () => {
    const raw = {
      flags: { maxRows: '1' },
      environment: { MILLRACE_MAX_ROWS: '2', MILLRACE_LABEL: 'environment' },
      file: { 'max-rows': 3, label: 'file', rate: 0.5 },
    };
    const { maxRows, label, rate, format } = compileOptions(table, raw);
    assert.deepEqual([maxRows, label, rate, format], [1, 'environment', 0.5, 'json']);
  });

  it('know where they came from', (t) => {
    const resolved = resolveOptions(table, {
      flags: { maxRows: '1', create: false },
      environment: { MILLRACE_LABEL: 'l', MILLRACE_PASSWORD_FILE: secretFile(t, 'p') },
      file: { rate: 1 },
    });
    assert.deepEqual(
      Object.fromEntries(Object.entries(resolved).map(([name, { source }]) => [name, source])),
      {
        format: 'default',
        label: 'MILLRACE_LABEL',
        maxRows: '--max-rows',
        rate: '"rate" in the configuration file',
        loop: 'default',
        create: '--no-create',
        drop: 'default',
        password: 'MILLRACE_PASSWORD_FILE',
      },
    );
  });

  it('may be given to a file by the name of the flag or the name in code, but not by both', () => {
    assert.equal(compileOptions(table, { file: { 'max-rows': 5 } }).maxRows, 5);
    assert.equal(compileOptions(table, { file: { maxRows: 5 } }).maxRows, 5);
    refuses(
      { file: { maxRows: 5, 'max-rows': 6 } },
      'The configuration file has both "max-rows" and "maxRows"; keep one.',
    );
  });

  it('take null in a file for not set', () => {
    const { label, maxRows } = compileOptions(table, { file: { label: null, 'max-rows': null } });
    assert.deepEqual([label, maxRows], [undefined, 10]);
  });

  it('refuse an unknown key of the file and name the known ones', () => {
    refuses(
      { file: { 'max-row': 5 } },
      'The configuration file has the unknown key "max-row"; known are format, label, max-rows, rate, loop, create, drop, password.',
    );
    refuses(
      { file: JSON.parse('{"__proto__": {"label": "x"}}') as Record<string, unknown> },
      'The configuration file has the unknown key "__proto__"; known are format, label, max-rows, rate, loop, create, drop, password.',
    );
  });

  it('are numbers within their range', () => {
    assert.equal(compileOptions(table, { flags: { maxRows: '1e2' } }).maxRows, 100);
    assert.equal(compileOptions(table, { flags: { rate: ' 0.25 ' } }).rate, 0.25);
    for (const [value, shown] of [
      ['ten', '"ten"'],
      ['', '""'],
      [' ', '" "'],
      ['1.5', '"1.5"'],
      ['NaN', '"NaN"'],
      ['9007199254740993', '"9007199254740993"'],
    ]) {
      refuses({ flags: { maxRows: value } }, `--max-rows must be a whole number, not ${shown}.`);
    }
    refuses({ flags: { rate: 'Infinity' } }, '--rate must be a number, not "Infinity".');
    refuses({ environment: { MILLRACE_MAX_ROWS: '0' } }, 'MILLRACE_MAX_ROWS must be at least 1, not "0".');
    refuses(
      { file: { 'max-rows': 101 } },
      '"max-rows" in the configuration file must be at most 100, not 101.',
    );
    refuses(
      { file: { 'max-rows': [1] } },
      '"max-rows" in the configuration file must be a whole number, not [1].',
    );
  });

  it('are one of their choices', () => {
    assert.equal(compileOptions(table, { flags: { format: 'avro' } }).format, 'avro');
    refuses({ flags: { format: 'xml' } }, '--format must be one of json, avro, not "xml".');
  });

  it('are text, also where a file has a number', () => {
    assert.equal(compileOptions(table, { file: { label: 7 } }).label, '7');
    refuses({ file: { label: true } }, '"label" in the configuration file must be text, not true.');
  });

  it('are switches in the words of flags, environment and files', () => {
    for (const yes of [true, 'true', '1', 'yes']) {
      assert.equal(compileOptions(table, { flags: { loop: yes } }).loop, true);
    }
    for (const no of [false, 'false', '0', 'no']) {
      assert.equal(compileOptions(table, { environment: {}, file: { create: no } }).create, false);
    }
    refuses({ environment: { MILLRACE_LOOP: 'maybe' } }, 'MILLRACE_LOOP must be true or false, not "maybe".');
  });

  it('are lists with commas, or sequences in a file', () => {
    assert.deepEqual(compileOptions(table, { flags: { drop: 'A, B,,C ' } }).drop, ['A', 'B', 'C']);
    assert.deepEqual(compileOptions(table, { file: { drop: ['A', 2] } }).drop, ['A', '2']);
    assert.deepEqual(compileOptions(table, { flags: { drop: '' } }).drop, []);
    refuses(
      { file: { drop: [{ a: 1 }] } },
      '"drop" in the configuration file must be a list, such as A,B, not [{"a":1}].',
    );
  });

  it('read secrets from files, without the newline at the end', (t) => {
    const path = secretFile(t, 'se cret\n');
    const { password } = compileOptions(table, { environment: { MILLRACE_PASSWORD_FILE: path } });
    assert.equal(password, 'se cret');
  });

  it('refuse a secret that is given twice or whose file cannot be read, and never show one', (t) => {
    refuses(
      { environment: { MILLRACE_PASSWORD: 'x', MILLRACE_PASSWORD_FILE: secretFile(t, 'y') } },
      'Set either MILLRACE_PASSWORD or MILLRACE_PASSWORD_FILE, not both.',
    );
    assert.throws(
      () => compileOptions(table, { environment: { MILLRACE_PASSWORD_FILE: '/nowhere/at/all' } }),
      /^MillraceError: MILLRACE_PASSWORD_FILE cannot be read: ENOENT/,
    );
    refuses(
      { file: { password: ['hunter2'] } },
      '"password" in the configuration file must be text, not (hidden).',
    );
  });

  it('read no file for what is no secret', () => {
    assert.equal(
      compileOptions(table, { environment: { MILLRACE_LABEL_FILE: '/etc/hostname' } }).label,
      undefined,
    );
  });
});

describe('options that go together or not', () => {
  it('are refused with both names when they exclude each other', () => {
    const both = compileOptions(table, { flags: { label: 'a', loop: true } });
    assert.throws(() => refuseTogether(both, 'label', 'loop'), {
      message: 'Give either --label or --loop, not both.',
      code: 'MILLRACE_CONFIG_INVALID',
    });
    refuseTogether(compileOptions(table, { flags: { label: 'a' } }), 'label', 'loop');
    refuseTogether(compileOptions(table, { flags: { loop: true } }), 'label', 'loop');
  });

  it('are asked for when they are needed', () => {
    assert.throws(() => required(compileOptions(table, {}), 'label'), {
      message: 'Give --label or set MILLRACE_LABEL.',
      code: 'MILLRACE_CONFIG_INVALID',
    });
    assert.equal(required(compileOptions(table, { flags: { label: 'a' } }), 'label'), 'a');
  });
});

describe('the names of options', () => {
  it('follow from the name in code', () => {
    assert.equal(flagName('maxBatchRows'), 'max-batch-rows');
    assert.equal(environmentName('maxBatchRows'), 'MILLRACE_MAX_BATCH_ROWS');
  });
});
